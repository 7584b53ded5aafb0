import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processesOfUser, recordsOf, remainsOf } from "../../../test/support/sandbox/bubblewrap-remains.ts";
import { type BubblewrapRig, makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { systemClock } from "../../lib/clock.ts";
import { newId } from "../../lib/id.ts";
import { errnoOf } from "../files/file-errors.ts";
import {
  deployment,
  makeSandbox,
  newLife,
  policy,
  type SandboxHarness,
} from "../sandbox-harness.conformance.ts";
import type { SandboxRecord } from "./record.ts";

const victimFile = fileURLToPath(
  new URL("../../../test/support/sandbox/bubblewrap-victim.ts", import.meta.url),
);
const mebibyte = 1024 * 1024;

describe("what is left of bubblewrap's sandboxes", () => {
  let folder: string;
  let rig: BubblewrapRig | null = null;
  const victims = new Set<ChildProcess>();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-crashes-"));
  });
  afterEach(async () => {
    for (const victim of victims) victim.kill("SIGKILL");
    victims.clear();
    await rig?.close();
    // After a test that failed in its middle too: nothing may stay mounted.
    const cleaner = await makeBubblewrap({ dataDir: folder });
    await cleaner.provider.sweep("local", deployment);
    await cleaner.close();
    const warned = rig?.warnings.join("\n") ?? "";
    if (warned !== "") throw new Error(warned);
    rig = null;
    await rm(folder, { recursive: true });
  });

  async function open(
    options: Parameters<typeof makeBubblewrap>[0] = { dataDir: folder },
  ): Promise<SandboxHarness> {
    rig = await makeBubblewrap(options);
    const { provider } = rig;
    return {
      provider,
      host: "local",
      outsideFile: null,
      readOutside: async () => "",
      close: async () => undefined,
    };
  }

  function start(failpoint: string, naive = ""): ChildProcess {
    const victim = spawn(process.execPath, [victimFile, folder, deployment, failpoint, naive], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    victims.add(victim);
    return victim;
  }

  it("SBX-14 leaves nothing behind when it is destroyed, whatever runs in it", async () => {
    const harness = await open();
    const { ref, incarnation, sandbox, workspaceId } = await makeSandbox(harness);
    await sandbox.spawn({ command: "setsid sleep 300 & env -i setsid setsid sleep 300 & sleep 300" });
    const records = recordsOf(folder);
    // The same look finds it all while it lives.
    const live = remainsOf(folder, records);
    const asRoot = process.getuid?.() === 0 ? ["mount", "process", "user"] : [];
    for (const kind of ["folder", "group", ...asRoot]) {
      expect([kind, live.some((thing) => thing.startsWith(kind))]).toEqual([kind, true]);
    }
    await harness.provider.destroy(ref, { incarnation, reason: "test" });
    expect(remainsOf(folder, records)).toEqual([]);
    expect(await harness.provider.workspaces.remove({ id: workspaceId, host: "local" })).toBe(true);
  });

  it("SBX-14 SCH-04 dies with its server, and the next one's sweep removes the rest", async () => {
    const victim = start("none", "299");
    const told = await firstLine(victim);
    const records = recordsOf(folder);
    expect(records).toHaveLength(1);
    victim.kill("SIGKILL");
    await once(victim, "exit");
    // Without a sweep: the kernel ends it with its server.
    const users = records.flatMap(({ uid }) => (uid === null ? [] : [uid]));
    await expect.poll(() => users.flatMap(processesOfUser), { timeout: 5_000 }).toEqual([]);
    // What is only started and not held by a sandbox lives on.
    expect(existsSync(`/proc/${told.plain}`)).toBe(true);
    process.kill(told.plain, "SIGKILL");
    expect(remainsOf(folder, records).length).toBeGreaterThan(0);
    await expectSwept(records, 1);
    const { provider } = rig ?? (await makeBubblewrap({ dataDir: folder }));
    const files = await provider.workspaces.open({ id: told.workspaceId, host: "local" });
    expect(new TextDecoder().decode(await files?.read("file"))).toBe("kept\n");
  });

  const failpoints = ["record-written", "spawned", "placed", "before-destroy", "mid-destroy"];
  it.each(failpoints)("SCH-04 leaves nothing after a crash at sandbox.%s and a sweep", async (name) => {
    const victim = start(`sandbox.${name}`);
    const [, signal] = (await once(victim, "exit")) as [number | null, string | null];
    expect(signal).toBe("SIGKILL");
    const records = recordsOf(folder);
    expect(records).toHaveLength(1);
    await expectSwept(records, 1);
  });

  async function expectSwept(records: readonly SandboxRecord[], removed: number): Promise<void> {
    const { provider } = await open();
    // Of dead servers nothing is listed: who allocates sandboxes takes them as lost.
    expect(await provider.list("local", deployment)).toEqual({ items: [], unreadable: 0 });
    const swept = await provider.sweep("local", deployment);
    expect(swept.removed).toBeGreaterThanOrEqual(removed);
    expect(swept.foreign).toBe(0);
    expect(remainsOf(folder, records)).toEqual([]);
    expect(await provider.sweep("local", deployment)).toEqual({ removed: 0, foreign: 0 });
  }

  it("SCH-05 sweeps nothing of another deployment, dead or alive", async () => {
    const victim = start("sandbox.placed");
    await once(victim, "exit");
    const records = recordsOf(folder);
    const { provider } = await open();
    expect(await provider.sweep("local", "deployment-b")).toEqual({ removed: 0, foreign: 1 });
    expect(recordsOf(folder)).toEqual(records);
    expect(await provider.list("local", "deployment-b")).toEqual({ items: [], unreadable: 0 });
    await expectSwept(records, 1);
  });

  it("SCH-05 sweeps nothing that another living server of the same deployment has", async () => {
    const victim = start("none");
    const { id } = await firstLine(victim);
    const { provider } = await open();
    expect((await provider.sweep("local", deployment)).foreign).toBe(0);
    expect((await provider.list("local", deployment)).items).toMatchObject([{ id, deployment }]);
    expect(await provider.get({ id, host: "local" })).toMatchObject({ id, incarnation: "first" });
    await expect(
      provider.create({ id, host: "local" }, { template: "test", policy }, newLife()),
    ).rejects.toMatchObject({ code: "sandbox_busy" });
    const records = recordsOf(folder);
    expect(processesOfUser(records[0]?.uid ?? null).length).toBeGreaterThan(0);
    victim.kill("SIGKILL");
    await once(victim, "exit");
    await expectSwept(records, 1);
  });

  it("SCH-06 counts what it cannot read and leaves it alone, and what has only just begun", async () => {
    const harness = await open();
    const sandboxes = `${folder}/sandbox/sandboxes`;
    await harness.provider.probe();
    const [broken, newer, young] = ["sandbox", "sandbox", "sandbox"].map(() => newId("sandbox"));
    for (const id of [broken, newer, young]) mkdirSync(`${sandboxes}/${id}`);
    // What a killed server had just begun, or had all but removed, is over, however young.
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
    const over = [`.ended-${newId("sandbox")}`, `.begun-${boot}.${2 ** 30}.1.0123456789ab`];
    for (const name of over) mkdirSync(`${sandboxes}/${name}`);
    writeFileSync(`${sandboxes}/${broken}/record.json`, "{");
    writeFileSync(`${sandboxes}/${newer}/record.json`, JSON.stringify({ version: 2, id: newer, deployment }));
    expect(await harness.provider.sweep("local", deployment)).toEqual({ removed: 0, foreign: 2 });
    for (const name of over) expect(existsSync(`${sandboxes}/${name}`)).toBe(false);
    expect(await harness.provider.list("local", deployment)).toEqual({ items: [], unreadable: 2 });
    for (const id of [broken, newer, young]) expect(existsSync(`${sandboxes}/${id}`)).toBe(true);
    await expect(
      harness.provider.destroy({ id: broken ?? "", host: "local" }, { reason: "test" }),
    ).rejects.toMatchObject({ code: "sandbox_host_error" });
    // An hour later the one that has nothing is nobody's.
    await rig?.close();
    const later = { ...systemClock, now: () => Date.now() + 3_600_000 };
    const { provider } = await open({ dataDir: folder, clock: later });
    expect(await provider.sweep("local", deployment)).toEqual({ removed: 1, foreign: 2 });
    expect(existsSync(`${sandboxes}/${young}`)).toBe(false);
  });

  it("SCH-11 undoes what it has made when it cannot go on, and when it is told to stop", async () => {
    const harness = await open();
    const { provider } = harness;
    await provider.probe();
    const workspaceId = newId("workspace");
    await provider.workspaces.create({ id: workspaceId, host: "local" }, policy.limits);
    const seen: SandboxRecord[] = [];
    const see = () => {
      try {
        seen.push(...recordsOf(folder));
      } catch (thrown) {
        // It went between two steps of the look; the next one sees what there is.
        if (errnoOf(thrown) !== "ENOENT") throw thrown;
      }
    };
    const attempt = async (change: object, signal?: AbortSignal) => {
      const spec = { template: "test", policy: { ...policy, ...change }, workspaceId };
      const options = signal === undefined ? newLife() : { ...newLife(), signal };
      const watch = setInterval(see, 1);
      try {
        await provider.create({ id: newId("sandbox"), host: "local" }, spec, options);
      } finally {
        clearInterval(watch);
      }
    };
    // Folders, the control group and the workspace are there by then.
    const impossible = { egress: { allow: [{ host: "not a host!" }] } };
    await expect(attempt(impossible)).rejects.toMatchObject({ code: "egress_rule_invalid" });
    const stop = new AbortController();
    const stopped = attempt({}, stop.signal);
    await expect.poll(() => recordsOf(folder).length, { interval: 1 }).toBe(1);
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    expect(seen.length).toBeGreaterThan(0);
    expect(remainsOf(folder, seen)).toEqual([]);
    expect((await provider.hosts())[0]).toMatchObject({ live: 0 });
    // Nobody has the workspace.
    await makeSandbox(harness, { workspaceId });
  });

  it("SCH-11 admits what the machine has memory for, and no workspace twice", async () => {
    const harness = await open({ dataDir: folder, memoryBytes: 1024 * mebibyte, maxSandboxes: 3 });
    const { provider } = harness;
    const { workspaceId } = await makeSandbox(harness);
    const again = { template: "test", policy, workspaceId };
    await expect(
      provider.create({ id: newId("sandbox"), host: "local" }, again, newLife()),
    ).rejects.toMatchObject({
      code: "sandbox_busy",
    });
    const two = await makeSandbox(harness);
    await expect(makeSandbox(harness)).rejects.toMatchObject({ code: "sandbox_capacity", retryable: true });
    const more = { ...policy, limits: { ...policy.limits, memoryBytes: 768 * mebibyte } };
    const { incarnation } = two;
    await expect(provider.apply(two.ref, { incarnation, policy: more })).rejects.toMatchObject({
      code: "sandbox_capacity",
    });
    const less = { ...policy, limits: { ...policy.limits, memoryBytes: 256 * mebibyte } };
    expect((await provider.apply(two.ref, { incarnation, policy: less })).policy).toEqual(less);
    expect((await provider.hosts())[0]).toMatchObject({
      live: 2,
      freeSlots: 1,
      freeMemoryBytes: 256 * mebibyte,
    });
  });

  it("SCH-11 ends 100 that live in less than 10 s, and nothing is left", { timeout: 180_000 }, async () => {
    const harness = await open();
    const { provider } = harness;
    const small = { ...policy, limits: { ...policy.limits, memoryBytes: 64 * mebibyte } };
    const make = async (count: number) => {
      const waiting = Array.from({ length: count }, () => newId("sandbox"));
      const worker = async () => {
        for (let id = waiting.pop(); id !== undefined; id = waiting.pop())
          await provider.create({ id, host: "local" }, { template: "test", policy: small }, newLife());
      };
      await Promise.all([1, 2, 3, 4].map(worker));
      return recordsOf(folder);
    };
    // A busy machine takes longer; by how much, the end of some one after another tells.
    const some = await make(10);
    const first = performance.now();
    for (const { id } of some) await provider.destroy({ id, host: "local" }, { reason: "test" });
    const oneByOneMs = (performance.now() - first) / some.length;
    const records = await make(100);
    expect(records).toHaveLength(100);
    expect(new Set(records.map(({ uid }) => uid)).size).toBe(process.getuid?.() === 0 ? 100 : 1);
    await expect(
      provider.create(
        { id: newId("sandbox"), host: "local" },
        { template: "test", policy: small },
        newLife(),
      ),
    ).rejects.toMatchObject({ code: "sandbox_capacity" });
    const began = performance.now();
    await provider.close();
    expect(performance.now() - began).toBeLessThan(Math.max(10_000, (oneByOneMs * 100) / 2));
    expect(remainsOf(folder, records)).toEqual([]);
  });
});

async function firstLine(child: ChildProcess): Promise<{ id: string; workspaceId: string; plain: number }> {
  if (child.stdout === null) throw new Error("it has no output");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(() => Promise.reject(new Error("the victim ended before it said anything"))),
  ])) as [string];
  lines.close();
  return JSON.parse(line) as { id: string; workspaceId: string; plain: number };
}
