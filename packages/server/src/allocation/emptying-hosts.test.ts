import { afterEach, describe, expect, it, vi } from "vitest";
import { beginLife } from "../../test/support/sandbox/allocation-life.ts";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import { pause } from "../lib/clock.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createTelemetry } from "../telemetry/telemetry.ts";
import type { SandboxRequest } from "./session-sandboxes.ts";

let rig: AllocationRig;
afterEach(() => rig.close());

function counted() {
  const metrics = createMetrics();
  return { metrics, telemetry: createTelemetry({ logger: silentLogger, metrics }) };
}
const bytes = (text: string) => Buffer.from(text);
async function after(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) await rig.clock.advance(1_000);
}
const placeOf = async ({ orgId, sessionId }: SandboxRequest) => {
  const row = await rig.store.org(orgId).sandboxes.workspace(sessionId);
  if (row === null) throw new Error("the session has no workspace");
  return row;
};
/** Sessions with a file each and no sandbox. */
async function sessionsWithFiles(
  server: ReturnType<AllocationRig["start"]>,
  count: number,
): Promise<readonly SandboxRequest[]> {
  const made: SandboxRequest[] = [];
  for (let at = 0; at < count; at++) {
    const request = await rig.session({ userId: `usr_${at}` });
    await server.sandboxes.workspace(request, (files) => files.write("kept", bytes(`of ${at}`)));
    made.push(request);
  }
  return made;
}
/** Each has its file, on a host that does not drain, and nothing else is kept anywhere. */
async function expectMoved(requests: readonly SandboxRequest[]): Promise<void> {
  const { kept, placed, draining } = rig.provider;
  const rows = await Promise.all(requests.map(placeOf));
  for (const [at, { workspaceId, host }] of rows.entries()) {
    expect(kept.get(workspaceId)).toEqual(new Map([["kept", `of ${at}`]]));
    expect(placed.get(workspaceId)).toBe(host);
    expect(draining).not.toContain(host);
  }
  expect([...kept.keys()].toSorted()).toEqual(rows.map(({ workspaceId }) => workspaceId).toSorted());
}
/** Only this one takes new files. */
function onlyOpen(open: string, hosts: readonly string[]): void {
  rig.provider.draining.clear();
  for (const name of hosts) if (name !== open) rig.provider.draining.add(name);
}

describe("a host that drains", () => {
  it("is emptied before anybody needs the files, onto all others, a few at a time", async () => {
    rig = openRig({ hosts: ["a", "b", "c"] });
    let [copying, most] = [0, 0];
    const step = (name: string) => {
      if (name === "allocation.copying") most = Math.max(most, ++copying);
      if (name === "allocation.copied") copying--;
    };
    const { metrics, telemetry } = counted();
    const server = rig.start({}, { step, telemetry });
    onlyOpen("a", ["a", "b", "c"]);
    const requests = await sessionsWithFiles(server, 12);
    onlyOpen("", []);
    await server.sandboxes.reapLeftovers();
    await after(20_000);
    // Nothing drains: nothing moves.
    expect(new Set(rig.provider.placed.values())).toEqual(new Set(["a"]));
    rig.provider.draining.add("a");
    await after(20_000);
    await expectMoved(requests);
    expect(new Set(rig.provider.placed.values())).toEqual(new Set(["b", "c"]));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    const page = await metrics.text();
    expect(page).toContain('berth_sandbox_workspaces_moved_total{outcome="moved"} 12');
    expect(page).toContain('berth_sandbox_workspaces_to_move{host="a"} 0');
  });

  it("keeps what a sandbox has until that has ended, and its warm ones end at once", async () => {
    rig = openRig({ hosts: ["a", "b"] });
    const server = rig.start({ warm: 1, idleTtlMs: 60_000 });
    onlyOpen("a", ["a", "b"]);
    const [request] = await sessionsWithFiles(server, 1);
    if (request === undefined) throw new Error("no session");
    const sandbox = await server.sandboxes.connect(request);
    await after(10_000);
    onlyOpen("b", ["a", "b"]);
    await after(20_000);
    expect((await placeOf(request)).host).toBe("a");
    const there = () => rig.provider.instances().filter(({ ref }) => ref.host === "a");
    expect(there().map(({ ref }) => ref.id)).toEqual([sandbox.id]);
    await after(60_000);
    expect(there()).toEqual([]);
    await expectMoved([request]);
  });

  it("keeps what cannot be moved, which is tried again once a minute, and moves the rest", async () => {
    rig = openRig({ hosts: ["a", "b"] });
    let tried = 0;
    const { metrics, telemetry } = counted();
    const step = (name: string) => void (name === "allocation.copying" && tried++);
    const server = rig.start({}, { step, telemetry });
    onlyOpen("a", ["a", "b"]);
    const [large, ...rest] = await sessionsWithFiles(server, 3);
    if (large === undefined) throw new Error("no session");
    const files = await server.sandboxes.files(large);
    await files?.write("large", bytes(`${33 * 1024 ** 2} bytes`));
    await server.sandboxes.reapLeftovers();
    onlyOpen("b", ["a", "b"]);
    await after(50_000);
    expect(tried).toBe(3);
    expect((await placeOf(large)).host).toBe("a");
    for (const one of rest) expect((await placeOf(one)).host).toBe("b");
    const page = await metrics.text();
    expect(page).toContain('berth_sandbox_workspaces_to_move{host="a"} 1');
    await files?.remove("large");
    await after(70_000);
    await expectMoved([large, ...rest]);
    onlyOpen("", []);
    await after(10_000);
    expect(await metrics.text()).not.toContain('berth_sandbox_workspaces_to_move{host="a"}');
  });

  it("does not wait for what its sessions have elsewhere since it was dead", async () => {
    rig = openRig({ hosts: ["a", "b"] });
    const said: string[] = [];
    const { telemetry } = counted();
    const sandboxHostEmptying: typeof telemetry.sandboxHostEmptying = (event) =>
      void said.push(`${event.host} ${event.inUse + event.stayed} ${event.leftovers}`);
    const server = rig.start({}, { telemetry: { ...telemetry, sandboxHostEmptying } });
    onlyOpen("a", ["a", "b"]);
    const [request] = await sessionsWithFiles(server, 1);
    if (request === undefined) throw new Error("no session");
    const dead = (await placeOf(request)).workspaceId;
    await server.sandboxes.reapLeftovers();
    onlyOpen("", []);
    rig.provider.down.add("a");
    await after(45_000);
    await server.sandboxes.workspace(request, (files) => files.write("kept", bytes("of 0")));
    expect((await placeOf(request)).host).toBe("b");
    expect(rig.provider.kept.has(dead)).toBe(true);
    rig.provider.down.delete("a");
    rig.provider.draining.add("a");
    await after(7_000);
    await expectMoved([request]);
    expect(said.at(-1)).toBe("a 0 0");
  });

  it("has ten minutes for each copy, and holds up no other host meanwhile", async () => {
    rig = openRig({ hosts: ["a", "b", "c"] });
    const whys: (string | null)[] = [];
    const { telemetry } = counted();
    const workspaceMoved: typeof telemetry.workspaceMoved = ({ why }) => void whys.push(why);
    const server = rig.start({}, { telemetry: { ...telemetry, workspaceMoved } });
    onlyOpen("a", ["a", "b", "c"]);
    const [slow] = await sessionsWithFiles(server, 1);
    onlyOpen("b", ["a", "b", "c"]);
    const other = await rig.session({ userId: "usr_other" });
    await server.sandboxes.workspace(other, (files) => files.write("kept", bytes("of other")));
    if (slow === undefined) throw new Error("no session");
    const files = await server.sandboxes.files(slow);
    for (let at = 0; at < 100; at++) await files?.write(`file ${at}`, bytes("text"));
    // Each read of the slow host is answered, after a minute.
    const fast = { ...rig.provider.workspaces };
    const slowly = vi.spyOn(rig.provider.workspaces, "open").mockImplementation(async (ref, options) => {
      const found = await fast.open(ref, options);
      if (found === null || ref.host !== "a") return found;
      const read = async (path: string) => (await pause(rig.clock, 60_000), await found.read(path));
      return { ...found, read };
    });
    await server.sandboxes.reapLeftovers();
    onlyOpen("c", ["a", "b", "c"]);
    await after(20_000);
    expect((await placeOf(other)).host).toBe("c");
    expect((await placeOf(slow)).host).toBe("a");
    for (let minutes = 0; minutes < 12 && whys.length < 2; minutes++) await rig.clock.advance(60_000);
    // Eight files at the same time: all of them would take 13 minutes.
    expect(whys).toEqual([null, "Copying it took longer than 10 minutes."]);
    onlyOpen("", []);
    slowly.mockRestore();
  });

  it("is left alone where no other host takes files, until one does", async () => {
    rig = openRig({ hosts: ["a", "b"] });
    const server = rig.start();
    onlyOpen("a", ["a", "b"]);
    const requests = await sessionsWithFiles(server, 2);
    rig.provider.draining.add("a").add("b");
    await server.sandboxes.reapLeftovers();
    await after(20_000);
    for (const one of requests) expect((await placeOf(one)).host).toBe("a");
    rig.provider.draining.delete("b");
    await after(20_000);
    await expectMoved(requests);
  });

  it("ends a copy in its middle when the server stops, and leaves the files where they were", async () => {
    rig = openRig({ hosts: ["a", "b"] });
    onlyOpen("a", ["a", "b"]);
    const closing: Promise<void>[] = [];
    const server = rig.start(
      {},
      {
        step: (name) => {
          if (name === "allocation.copying") closing.push(server.sandboxes.close());
        },
      },
    );
    const [request] = await sessionsWithFiles(server, 1);
    if (request === undefined) throw new Error("no session");
    await server.sandboxes.reapLeftovers();
    onlyOpen("b", ["a", "b"]);
    await after(20_000);
    expect(closing).toHaveLength(1);
    await Promise.all(closing);
    const row = await placeOf(request);
    expect(row.host).toBe("a");
    expect([...rig.provider.kept.keys()]).toEqual([row.workspaceId]);
  });

  it.each(["allocation.copying", "allocation.copied", "allocation.moved"])(
    "is emptied by the next server after a crash at %s",
    async (place) => {
      rig = openRig({ hosts: ["a", "b"] });
      onlyOpen("a", ["a", "b"]);
      const life = beginLife(rig, {});
      const requests = await sessionsWithFiles(life, 3);
      await life.sandboxes.reapLeftovers();
      life.arm(place);
      onlyOpen("b", ["a", "b"]);
      await after(10_000);
      expect(life.isDead()).toBe(true);
      for (const [at, request] of requests.entries())
        expect(rig.provider.kept.get((await placeOf(request)).workspaceId)?.get("kept")).toBe(`of ${at}`);
      await rig.start().sandboxes.reapLeftovers();
      // Copies that nobody finished go when another server can no longer be at them.
      for (let passed = 0; passed < 4_000; passed += 5) await rig.clock.advance(5_000);
      await expectMoved(requests);
    },
  );
});
