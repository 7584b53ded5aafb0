// The way out of real sandboxes: their programs, the agent's forwarder, the proxy, and servers on the loopback in the internet's place.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createTls } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import type { EgressDecision } from "../../../src/sandbox/egress-decision.ts";
import type { EgressRule, Sandbox } from "../../../src/sandbox/sandbox.ts";
import { createAuthority } from "../../support/network/certificates.ts";
import { makeBubblewrap } from "../../support/sandbox/bubblewrap-rig.ts";
import { loopback, openUpstream } from "../../support/sandbox/egress-rig.ts";
import { useEgress } from "../../support/sandbox/use-egress.ts";

const { upstream, onEnd } = useEgress();
const canary = "canary-sandbox-8Qx1";
const placeholder = "berth_secret_0123456789abcdef0123456789abcdef";
const limits = {
  memoryBytes: 512 * 2 ** 20,
  cpus: 2,
  pids: 128,
  diskBytes: 64 * 2 ** 20,
  inodes: 10_000,
  tmpBytes: 64 * 2 ** 20,
  shmBytes: 16 * 2 ** 20,
  openFiles: 1_024,
  fileBytes: 64 * 2 ** 20,
  processes: 8,
};

async function sandboxWith(allow: readonly EgressRule[], authorities?: string) {
  const dataDir = await mkdtemp(join(tmpdir(), "berth-out-"));
  onEnd(() => rm(dataDir, { recursive: true }));
  const decisions: EgressDecision[] = [];
  const lookups: string[] = [];
  const resolve = (host: string) => {
    lookups.push(host);
    return Promise.resolve([loopback]);
  };
  const rig = await makeBubblewrap({
    dataDir,
    egress: { resolve, allowPrivate: ["127.0.0.0/8"], ...(authorities !== undefined && { authorities }) },
    onEgress: (_id, decision) => decisions.push(decision),
  });
  onEnd(() => rig.close());
  const { provider } = rig;
  const ref = { id: newId("sandbox"), host: "local" };
  const workspaceId = newId("workspace");
  await provider.workspaces.create({ id: workspaceId, host: "local" }, limits);
  const spec = { template: "t", policy: { limits, egress: { allow } }, workspaceId };
  await provider.create(ref, spec, { incarnation: "one", deployment: "dep", ttlMs: 60_000 });
  onEnd(async () => void (await provider.destroy(ref, { reason: "test" })));
  const sandbox = await provider.connect(ref);
  return { provider, ref, sandbox, decisions, lookups };
}

const run = async (sandbox: Sandbox, command: string, environment: Record<string, string> = {}) =>
  (await sandbox.exec({ command, environment, timeoutMs: 20_000 })).output;

const python = (url: string) =>
  `python3 -c 'import os,urllib.request as u
try:
  print(u.urlopen(u.Request("${url}", headers={"Authorization": "Bearer " + os.environ.get("TOKEN", "")})).read().decode())
except Exception as e: print("ERR", e)'`;
const node = (url: string) =>
  `/opt/berth/node -e 'fetch("${url}", {headers: {authorization: "Bearer " + process.env.TOKEN}}).then(async (r) => console.log(await r.text()), (e) => console.log("ERR", e.cause))'`;

describe("the way out of a sandbox", { timeout: 60_000 }, () => {
  it("is open to what the policy names and to nothing else, and changes with it", async () => {
    const { port } = upstream();
    const allow = [{ host: "a.test", ports: [port] }];
    const { sandbox, provider, ref, decisions, lookups } = await sandboxWith(allow);
    expect(await run(sandbox, python(`http://a.test:${port}/py`))).toContain("hello from /py");
    expect(await run(sandbox, node(`http://a.test:${port}/node`))).toContain("hello from /node");
    expect(await run(sandbox, python(`http://b.test:${port}/`))).toContain("403");
    expect(await run(sandbox, `NO_PROXY=* no_proxy=* ${python(`http://127.0.0.1:${port}/`)}`)).toContain(
      "ERR",
    );
    expect(lookups.every((host) => host === "a.test")).toBe(true);
    expect(decisions).toContainEqual(expect.objectContaining({ host: "b.test", reason: "not_listed" }));
    await provider.apply(ref, { incarnation: "one", policy: { limits, egress: { allow: [] } } });
    expect(await run(sandbox, python(`http://a.test:${port}/`))).toContain("403");
  });

  it("carries secrets that the sandbox never has", async () => {
    const authority = await createAuthority("test");
    const { cert, key } = await authority.issue("a.test", { names: [{ type: "dns", value: "a.test" }] });
    const server = await openUpstream(createTls({ cert, key }));
    onEnd(server.close);
    const rule = { host: "a.test", ports: [server.port], secrets: [{ placeholder, value: canary }] };
    const { sandbox, decisions } = await sandboxWith([rule], authority.cert);
    const environment = { TOKEN: placeholder };
    expect(await run(sandbox, python(`http://a.test:${server.port}/py`), environment)).toContain(
      "hello from /py",
    );
    expect(await run(sandbox, node(`http://a.test:${server.port}/node`), environment)).toContain(
      "hello from /node",
    );
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${canary}`,
      `Bearer ${canary}`,
    ]);
    // Everything that can be read in there; the search finds the placeholder.
    const search = (text: string) =>
      run(
        sandbox,
        `{ env; cat /proc/*/environ /proc/*/cmdline /proc/self/mountinfo; grep -r . /run /tmp /workspace /etc; } 2>/dev/null | grep -c -a '${text}'`,
        environment,
      );
    expect(Number(await search(placeholder))).toBeGreaterThan(0);
    // In two parts, or the search would find itself.
    expect(Number(await search(`${canary.slice(0, 6)}[${canary[6]}]${canary.slice(7)}`))).toBe(0);
    expect(JSON.stringify(decisions)).not.toContain(canary);
  });
});
