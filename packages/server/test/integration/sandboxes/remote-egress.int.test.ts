// What sandboxes of sandbox hosts ask for, as their servers are told it: real sandboxes, their proxy, the protocol over HTTP.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { readHostAddress } from "../../../src/lib/host-address.ts";
import type { EgressDecision, EgressListener } from "../../../src/sandbox/egress-decision.ts";
import { readPrivateKey } from "../../../src/sandbox/protocol/keys.ts";
import { createRemote } from "../../../src/sandbox/remote/remote.ts";
import { deployment, makeSandbox, policy } from "../../../src/sandbox/sandbox-harness.conformance.ts";
import type { Sandbox, SandboxProvider } from "../../../src/sandbox/sandbox.ts";
import { createManualClock, type ManualClock } from "../../support/manual-clock.ts";
import { makeBubblewrap } from "../../support/sandbox/bubblewrap-rig.ts";
import { loopback, openUpstream, type Upstream } from "../../support/sandbox/egress-rig.ts";
import { createRemoteRig, type RemoteRig } from "../../support/sandbox/remote-rig.ts";

const canary = "canary-remote-egress-7Zk2";
const placeholder = "berth_secret_0123456789abcdef0123456789abcdef";

type Told = EgressDecision & { readonly sandboxId: string };

/** Keeps what it is told. */
function listen(): { readonly told: Told[]; readonly listener: EgressListener } {
  const told: Told[] = [];
  const listener: EgressListener = {
    isOn: async (_, host) => host === "host-a",
    decided: (sandboxId, decision) => told.push({ sandboxId, ...decision }),
    lost: (event) => expect.unreachable(JSON.stringify(event)),
    failed: ({ error }) => expect.unreachable(String(error)),
  };
  return { told, listener };
}

const get = (sandbox: Sandbox, url: string) =>
  sandbox.exec({
    command: `python3 -c 'import urllib.request as u
try: print(u.urlopen(u.Request("${url}?q=${canary}", headers={"Authorization": "Bearer ${placeholder}"})).read())
except Exception as e: print("ERR", e)'`,
    timeoutMs: 20_000,
  });

describe("what sandboxes of a host ask for", { timeout: 60_000 }, () => {
  let upstream: Upstream;
  let rig: RemoteRig;
  let mine: ReturnType<typeof listen>;
  let clock: ManualClock;
  const others: SandboxProvider[] = [];
  beforeEach(async () => {
    upstream = await openUpstream();
    mine = listen();
    clock = createManualClock();
    const egress = { resolve: async () => [loopback], allowPrivate: ["127.0.0.0/8"] };
    rig = await createRemoteRig({
      make: (given) => makeBubblewrap({ ...given, egress }),
      journalClock: clock,
      remote: { heartbeatMs: 50, egress: mine.listener },
    });
  });
  afterEach(async () => {
    for (const other of others.splice(0)) await other.close();
    await rig.close();
    await upstream.close();
  });

  async function another(name: string) {
    const { told, listener } = listen();
    const provider = createRemote({
      hosts: [readHostAddress(`host-a=${rig.url}`)],
      tokens: await readPrivateKey(rig.keys.privateKey),
      deployment: name,
      clock: systemClock,
      heartbeatMs: 50,
      egress: listener,
    });
    others.push(provider);
    return { told, provider };
  }
  const namesOf = (told: readonly Told[]) => told.map(({ sandboxId, host }) => `${sandboxId} ${host}`);

  it("is told its server once, with the sandbox's id and without its secrets", async () => {
    const { port } = upstream;
    const secrets = [{ placeholder, value: "canary-secret-value" }];
    const allow = [{ host: "a.test", ports: [80, port], secrets }];
    const [one, two] = [
      await makeSandbox(rig, { policy: { ...policy, egress: { allow } } }),
      await makeSandbox(rig),
    ];
    await get(one.sandbox, `http://a.test:${port}/`);
    expect(upstream.seen[0]?.headers["authorization"]).toBe("Bearer canary-secret-value");
    await get(one.sandbox, "http://denied.test/");
    await get(two.sandbox, "http://other.test:8080/");
    const expected = [`${one.ref.id} a.test`, `${one.ref.id} denied.test`, `${two.ref.id} other.test`];
    await expect.poll(() => namesOf(mine.told)).toEqual(expected);
    expect(mine.told).toMatchObject([
      { port, verdict: "allowed", reason: "allowed", address: "127.0.0.1", count: 1 },
      { port: 80, verdict: "denied", reason: "not_listed", address: null, count: 1 },
      { port: 8080, verdict: "denied", reason: "not_listed" },
    ]);
    // Many heartbeats later; what a sandbox moved is told with its end, before that is.
    const { length } = mine.told;
    await rig.provider.destroy(one.ref, { reason: "test" });
    const last = mine.told.slice(length);
    expect(namesOf(last)).toEqual([`${one.ref.id} a.test`]);
    expect(last[0]).toMatchObject({ count: 0, bytesIn: expect.toSatisfy((bytes: number) => bytes > 0) });
    const counts = mine.told.map(({ host, count }) => [host, count]);
    expect(counts.filter(([, count]) => count !== 0)).toHaveLength(3);
    expect(JSON.stringify(mine.told)).not.toMatch(/canary|berth_secret/);
  });

  it("is told no other deployment, and to a server that was started again only what its last one did not have", async () => {
    const other = await another("deployment-b");
    const { sandbox, ref } = await makeSandbox(rig);
    await get(sandbox, "http://first.test/");
    await expect.poll(() => namesOf(mine.told)).toEqual([`${ref.id} first.test`]);
    // The other one is told its own, so it was asked.
    const life = { incarnation: "b", deployment: "deployment-b", ttlMs: 60_000 };
    const theirs = { id: ref.id.replace(/.{4}$/, "zzzz"), host: "host-a" };
    const workspaceId = `wsp_${"b".repeat(26)}`;
    await other.provider.workspaces.create({ id: workspaceId, host: "host-a" }, policy.limits);
    await other.provider.create(theirs, { template: "test", policy, workspaceId }, life);
    await get(await other.provider.connect(theirs), "http://theirs.test/");
    await expect.poll(() => namesOf(other.told)).toEqual([`${theirs.id} theirs.test`]);
    await other.provider.destroy(theirs, { reason: "test" });

    await rig.provider.close();
    await get(await rig.local.connect({ ...ref, host: "local" }), "http://second.test/");
    const again = await another(deployment);
    await again.provider.hosts();
    await clock.advance(30_000);
    await expect.poll(() => namesOf(again.told)).toEqual([`${ref.id} second.test`]);
    expect(namesOf(mine.told)).toEqual([`${ref.id} first.test`]);
    expect(namesOf(other.told)).toEqual([`${theirs.id} theirs.test`]);
  });
});
