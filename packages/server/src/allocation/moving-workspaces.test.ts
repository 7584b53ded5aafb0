import { afterEach, describe, expect, it } from "vitest";
import type { SandboxRequest } from "./session-sandboxes.ts";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import { beginLife } from "../../test/support/sandbox/allocation-life.ts";

let rig: AllocationRig;
afterEach(() => rig.close());

const bytes = (text: string) => Buffer.from(text);
const open = () => (rig = openRig({ hosts: ["a", "b"] }));
const rowOf = async ({ orgId, sessionId }: SandboxRequest) => {
  const row = await rig.store.org(orgId).sandboxes.workspace(sessionId);
  if (row === null) throw new Error("the session has no workspace");
  return row;
};
/** A call that needs virtual time to go on. */
async function inTime<T>(call: Promise<T>, ms = 1_000): Promise<T> {
  call.catch(() => undefined);
  for (let passed = 0; passed <= ms; passed += 500) await rig.clock.advance(500);
  return await call;
}
async function after(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5_000) await rig.clock.advance(5_000);
}
/** A session with a file, and no sandbox any more. */
async function asleep(server: ReturnType<AllocationRig["start"]>, request: SandboxRequest) {
  await server.sandboxes.connect(request);
  const files = await server.sandboxes.files(request);
  await files?.write("kept", bytes("text"));
  await rig.clock.advance(10);
  await server.sandboxes.release(request);
  await rig.clock.advance(10);
  const { host } = await rowOf(request);
  return { home: host, other: host === "a" ? "b" : "a" };
}

describe("a workspace whose host has no room", () => {
  it("moves with its files when the host drains, and nothing stays behind", async () => {
    const server = open().start();
    const request = await rig.session();
    const { home, other } = await asleep(server, request);
    const before = await rowOf(request);
    const held = await server.sandboxes.files(request);
    rig.provider.draining.add(home);
    await inTime(server.sandboxes.connect(request));
    const now = await rowOf(request);
    expect(now).toMatchObject({ host: other, awaitsFiles: false });
    expect(now.workspaceId).not.toBe(before.workspaceId);
    expect(rig.provider.kept.get(now.workspaceId)).toEqual(new Map([["kept", "text"]]));
    // Who had the files open before goes on with them.
    await held?.write("late", bytes("2"));
    expect(rig.provider.kept.get(now.workspaceId)?.get("late")).toBe("2");
    expect([...rig.provider.kept.keys()]).toEqual([now.workspaceId]);
  });

  it("moves when the host is full, and stays with a sandbox, or where no other has room", async () => {
    const server = open().start({ waitMs: 500 });
    const request = await rig.session();
    const { home, other } = await asleep(server, request);
    rig.provider.full.add(home).add(other);
    await expect(inTime(server.sandboxes.connect(request))).rejects.toMatchObject({
      code: "sandbox_capacity",
    });
    rig.provider.full.delete(other);
    await inTime(server.sandboxes.connect(request));
    expect((await rowOf(request)).host).toBe(other);
    rig.provider.full.delete(home);
    rig.provider.draining.add(other);
    await inTime(server.sandboxes.connect(request));
    expect((await rowOf(request)).host).toBe(other);
  });

  it("is waited for, and not asked for without end, where others may be warm", async () => {
    const server = (rig = openRig({ hosts: ["a"] })).start({ warm: 1, waitMs: 500 });
    const request = await rig.session();
    await server.sandboxes.workspace(request);
    rig.provider.draining.add("a");
    await expect(inTime(server.sandboxes.connect(request))).rejects.toMatchObject({
      code: "sandbox_capacity",
    });
  });

  it("moves all folders of a user at once", async () => {
    const server = open().start();
    const strategy = "User-Exclusive" as const;
    const [one, two] = [await rig.session({ strategy }), await rig.session({ strategy })];
    const { home, other } = await asleep(server, one);
    await server.sandboxes.connect(two);
    await (await server.sandboxes.files(two))?.write("mine", bytes("2"));
    for (const { id } of await rig.live()) rig.provider.lose(id);
    await inTime(server.sandboxes.reapLeftovers());
    rig.provider.draining.add(home);
    await inTime(server.sandboxes.connect(two));
    const [first, second] = [await rowOf(one), await rowOf(two)];
    expect([first.host, second.workspaceId]).toEqual([other, first.workspaceId]);
    expect(await server.sandboxes.files(one).then((its) => its?.read("kept"))).toEqual(bytes("text"));
    expect(await server.sandboxes.files(two).then((its) => its?.read("mine"))).toEqual(bytes("2"));
  });

  it("is refused with the reason when it is too large to be moved", async () => {
    const server = open().start({ waitMs: 500 });
    const request = await rig.session();
    const { home } = await asleep(server, request);
    const files = await server.sandboxes.files(request);
    await files?.write("large", bytes(`${33 * 1024 ** 2} bytes`));
    rig.provider.draining.add(home);
    await expect(inTime(server.sandboxes.connect(request))).rejects.toMatchObject({
      code: "sandbox_capacity",
      message: expect.stringContaining('"large" has more than 32 MiB'),
    });
    expect((await rowOf(request)).host).toBe(home);
    await rig.clock.advance(0);
    expect(rig.provider.kept.size).toBe(1);
  });

  it("stays when somebody writes while it is copied, and loses nothing", async () => {
    const writes: Promise<void>[] = [];
    const server = open().start(
      { waitMs: 500 },
      {
        step: (name) => {
          if (name === "allocation.copied" && held !== null) writes.push(held.write("late", bytes("2")));
        },
      },
    );
    const request = await rig.session();
    const { home } = await asleep(server, request);
    const held = await server.sandboxes.files(request);
    rig.provider.draining.add(home);
    await inTime(server.sandboxes.connect(request)).catch(() => undefined);
    expect(writes.length).toBeGreaterThan(0);
    await Promise.all(writes);
    const files = rig.provider.kept.get((await rowOf(request)).workspaceId);
    expect([...(files?.keys() ?? [])].toSorted()).toEqual(["kept", "late"]);
  });

  it.each(["allocation.copying", "allocation.copied", "allocation.moved"])(
    "has its files in one place after a crash at %s",
    async (place) => {
      const server = open().start();
      const request = await rig.session();
      const { home, other } = await asleep(server, request);
      const life = beginLife(rig, {});
      rig.provider.draining.add(home);
      life.arm(place);
      void life.sandboxes.connect(request).catch(() => undefined);
      await rig.clock.advance(1_000);
      expect(life.isDead()).toBe(true);
      const row = await rowOf(request);
      expect(row.host).toBe(place === "allocation.moved" ? other : home);
      expect(rig.provider.kept.get(row.workspaceId)).toEqual(new Map([["kept", "text"]]));
      await inTime(server.sandboxes.connect(request));
      const now = await rowOf(request);
      expect(now.host).toBe(other);
      expect(rig.provider.kept.get(now.workspaceId)).toEqual(new Map([["kept", "text"]]));
      rig.provider.draining.clear();
      await after(4_000_000);
      expect([...rig.provider.kept.keys()]).toEqual([now.workspaceId]);
    },
  );
});

describe("a dead host", () => {
  it("changes nothing when it comes back within 30 seconds", async () => {
    const server = open().start();
    const request = await rig.session();
    const { home } = await asleep(server, request);
    const before = await rowOf(request);
    rig.provider.down.add(home);
    await after(25_000);
    await expect(server.sandboxes.files(request)).rejects.toMatchObject({ code: "sandbox_host_error" });
    rig.provider.down.delete(home);
    await after(5_000);
    rig.provider.down.add(home);
    await after(25_000);
    rig.provider.down.delete(home);
    await inTime(server.sandboxes.connect(request));
    expect((await rowOf(request)).workspaceId).toBe(before.workspaceId);
  });

  it("is given up: the session begins elsewhere with what is put there, and the old copy goes when the host returns", async () => {
    const server = open().start();
    const request = await rig.session();
    const { home, other } = await asleep(server, request);
    const before = await rowOf(request);
    const [first] = [await inTime(server.sandboxes.connect(request))];
    const held = await server.sandboxes.files(request);
    rig.provider.lose(first.id);
    rig.provider.down.add(home);
    await after(45_000);
    expect(await server.sandboxes.files(request)).toBeNull();
    await expect(held?.read("kept")).rejects.toMatchObject({ code: "workspace_lost" });
    await expect(server.sandboxes.connect(request)).rejects.toMatchObject({ code: "workspace_lost" });
    const failing = server.sandboxes.workspace(request, () => Promise.reject(new Error("half")));
    await expect(failing).rejects.toThrow("half");
    // Half of its files are not its files.
    expect(await rowOf(request)).toMatchObject({ host: other, awaitsFiles: true });
    expect(await server.sandboxes.files(request)).toBeNull();
    await expect(server.sandboxes.connect(request)).rejects.toMatchObject({ code: "workspace_lost" });
    await server.sandboxes.workspace(request, (files) => files.write("kept", bytes("of the manifest")));
    const given: unknown[] = [];
    await inTime(server.sandboxes.connect({ ...request, onGiven: (one) => given.push(one) }));
    expect(given).toMatchObject([{ before: { sandboxId: first.id, reason: "host_lost" } }]);
    const now = await rowOf(request);
    expect(now).toMatchObject({ host: other, awaitsFiles: false });
    expect(rig.provider.kept.has(before.workspaceId)).toBe(true);
    // However long it was away: within a minute.
    await after(30 * 60_000);
    rig.provider.down.delete(home);
    await after(61_000);
    expect([...rig.provider.kept.keys()]).toEqual([now.workspaceId]);
    await expect((await server.sandboxes.files(request))?.read("kept")).resolves.toEqual(
      bytes("of the manifest"),
    );
  });

  it("is waited for when no other host is there", async () => {
    const server = open().start({ waitMs: 500 });
    const request = await rig.session();
    const { home, other } = await asleep(server, request);
    rig.provider.down.add(home).add(other);
    await after(60_000);
    await expect(server.sandboxes.workspace(request)).rejects.toMatchObject({ code: "sandbox_capacity" });
    rig.provider.down.clear();
    await after(10_000);
    expect(await (await server.sandboxes.files(request))?.read("kept")).toEqual(bytes("text"));
  });
});
