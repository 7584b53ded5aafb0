import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Allocation, createAllocation } from "../../../src/allocation/create-allocation.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { readHostAddress } from "../../../src/lib/host-address.ts";
import { Workspace } from "../../../src/runtime/workspace.ts";
import { newKeyPair, readPrivateKey } from "../../../src/sandbox/protocol/keys.ts";
import { createRemote } from "../../../src/sandbox/remote/remote.ts";
import type { Blobs } from "../../../src/store/blobs.ts";
import type { SandboxRequest } from "../../../src/allocation/session-sandboxes.ts";
import { type AllocationRig, openRig, testSettings } from "../../support/sandbox/allocation-rig.ts";
import { type HostProcess, startHostProcess } from "../../support/sandbox/host-process.ts";

/** Blobs in memory. */
function memoryBlobs(): Blobs {
  const kept = new Map<string, Uint8Array>();
  return {
    async put(_, data) {
      const hash = createHash("sha256").update(data).digest("hex");
      kept.set(hash, data);
      return { hash, size: data.byteLength };
    },
    get: async (_, hash) => kept.get(hash) ?? null,
    has: async (_, hash) => kept.has(hash),
    delete: async (_, hash) => void kept.delete(hash),
  };
}

describe("the files of a session on sandbox hosts in processes of their own", () => {
  let folder: string;
  let rig: AllocationRig;
  let server: Allocation;
  let keys: ReturnType<typeof newKeyPair>;
  const hosts = new Map<string, HostProcess>();

  const start = async (name: string) => {
    const own = ["--data", join(folder, name), "--sandbox-host-name", name, "--drain-timeout", "1m"];
    const trust = ["--sandbox-host-trust", join(folder, "host.pub.pem"), "--sandbox", "local-process"];
    hosts.set(name, await startHostProcess([...own, ...trust]));
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-moving-"));
    keys = newKeyPair();
    await writeFile(join(folder, "host.pub.pem"), keys.publicKey);
    for (const name of ["a", "b"]) await start(name);
    rig = openRig();
    const provider = createRemote({
      hosts: [...hosts].map(([name, { url }]) => readHostAddress(`${name}=${url}`)),
      tokens: await readPrivateKey(keys.privateKey),
      deployment: await rig.store.system.sandboxes.deployment(),
      clock: systemClock,
      heartbeatMs: 100,
      isolated: false,
    });
    const { store, telemetry } = rig;
    const settings = { ...testSettings, waitMs: 5_000 };
    server = createAllocation({
      store,
      provider,
      clock: systemClock,
      telemetry,
      settings,
      deadHostMs: 1_000,
    });
  }, 60_000);
  afterEach(async () => {
    await server.sandboxes.close();
    for (const host of hosts.values()) await host.end("SIGKILL");
    hosts.clear();
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  });

  const hostOf = async ({ orgId, sessionId }: SandboxRequest) =>
    (await rig.store.org(orgId).sandboxes.workspace(sessionId))?.host ?? "";
  const processOf = (name: string) => {
    const host = hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  };

  it("move with it when its host drains", async () => {
    const { sandboxes } = server;
    const request = await rig.session();
    const first = await sandboxes.connect(request);
    await first.exec({ command: "mkdir -p a && echo text > a/file", timeoutMs: 10_000 });
    const home = await hostOf(request);
    // Another session keeps the host from ending at once; which host it comes to is by what each has free.
    for (let tried = 1, there = ""; there !== home; tried++) {
      expect(tried).toBeLessThanOrEqual(20);
      const neighbour = await rig.session({ userId: `usr_neighbour_${tried}` });
      await sandboxes.connect(neighbour);
      there = await hostOf(neighbour);
    }
    await sandboxes.release(request);
    process.kill(processOf(home).pid, "SIGTERM");
    await expect
      .poll(
        async () => {
          const next = await sandboxes.connect(request);
          const moved = (await hostOf(request)) !== home;
          const { output } = await next.exec({ command: "cat a/file", timeoutMs: 10_000 });
          if (!moved) await sandboxes.release(request);
          return { moved, output };
        },
        { timeout: 20_000 },
      )
      .toEqual({ moved: true, output: "text\n" });
  }, 60_000);

  it("are moved off a host that drains before anybody needs them, and it ends when none is left", async () => {
    const { sandboxes } = server;
    const requests = await Promise.all(Array.from({ length: 6 }, () => rig.session()));
    for (const request of requests) {
      const sandbox = await sandboxes.connect(request);
      const command = `mkdir -p a/empty && echo ${request.sessionId} > a/file && chmod +x a/file && ln -s ../none a/link`;
      await sandbox.exec({ command, timeoutMs: 10_000 });
      await sandboxes.release(request);
    }
    process.kill(processOf("a").pid, "SIGTERM");
    expect(await processOf("a").exited).toEqual({ code: 0, signal: null });
    expect(processOf("a").written()).toContain("Drained: no sandbox and no workspace is left here.");
    for (const request of requests) {
      expect(await hostOf(request)).toBe("b");
      const files = await sandboxes.files(request);
      expect(Buffer.from((await files?.read("a/file")) ?? []).toString()).toBe(`${request.sessionId}\n`);
      expect((await files?.tree(""))?.items).toMatchObject([
        { path: "a", kind: "directory" },
        { path: "a/empty", kind: "directory" },
        { path: "a/file", kind: "file", executable: true },
        { path: "a/link", kind: "link", target: "../none" },
      ]);
    }
  }, 60_000);

  it("are those of the last manifest after its host was killed", async () => {
    const { sandboxes } = server;
    const request = await rig.session();
    const blobs = memoryBlobs();
    const { orgId, sessionId } = request;
    const workspace = new Workspace({ sandboxes, blobs, orgId, sessionId, forkedAt: null });
    const fresh = { manifest: null, fileChanges: [], workspaceDirty: false };
    const first = await workspace.sandbox(fresh);
    await first.exec({ command: "mkdir -p a && echo text > a/file", timeoutMs: 10_000 });
    const taken = await workspace.takeManifest({ clock: systemClock, budgetMs: 10_000 });
    const hash = taken !== null && "hash" in taken ? taken.hash : "";
    const kept = { manifest: { hash, seq: 5 }, fileChanges: [], workspaceDirty: true };
    const home = await hostOf(request);
    await processOf(home).end("SIGKILL");
    const told: unknown[] = [];
    await expect
      .poll(
        async () => {
          await sandboxes.reapLeftovers();
          try {
            const next = await workspace.sandbox(kept, { onGiven: (given) => told.push(given.before) });
            return (await next.exec({ command: "cat a/file", timeoutMs: 10_000 })).output;
          } catch {
            return "";
          }
        },
        { timeout: 30_000 },
      )
      .toBe("text\n");
    expect(await hostOf(request)).toBe(home === "a" ? "b" : "a");
    expect(told).toEqual([{ sandboxId: first.id, reason: "host_lost" }]);
  }, 60_000);
});
