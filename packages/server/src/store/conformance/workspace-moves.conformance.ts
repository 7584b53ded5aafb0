import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { SandboxOwner } from "../sandboxes.ts";
import type { WorkspacePlace } from "../workspace-moves.ts";
import { ownerIn, reserve } from "./sandbox-scene.conformance.ts";
import { type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

const deployment = "dep_1";
const newPlace = (host: string): WorkspacePlace => ({ workspaceId: newId("workspace"), host });

export function workspaceMovesConformance(open: OpenStore): void {
  describe("workspaces that move", () => {
    const scene = useStore(open);
    copyTests(scene);
    useTests(scene);
    deadHostTests(scene);
    leftoverTests(scene);
    listTests(scene);
  });
}

/** A session with a workspace on a host that no other test has. */
async function sessionOn(scene: Scene, host: string = newId("request"), change = {}) {
  const owner = await ownerIn(scene, change);
  const { sandboxes } = scene.store.system;
  const { record } = await sandboxes.ensureWorkspace({
    ...owner,
    ...newPlace(host),
    folder: owner.sessionId,
  });
  const rowOf = async ({ sessionId }: SandboxOwner = owner) => {
    const row = await scene.store.org(scene.orgId).sandboxes.workspace(sessionId);
    if (row === null) throw new Error("the session has no workspace");
    return row;
  };
  const from: WorkspacePlace = { workspaceId: record.workspaceId, host };
  const leftovers = async (where = host) =>
    (await sandboxes.leftoverWorkspaces(where, deployment)).map(({ workspaceId, copyOf }) => ({
      workspaceId,
      copyOf,
    }));
  return { owner, sandboxes, from, rowOf, leftovers };
}

function copyTests(scene: () => Scene): void {
  it("are another host's in one commit when the copy is there, and stay behind as leftovers", async () => {
    const { sandboxes, from, rowOf, leftovers } = await sessionOn(scene());
    const to = newPlace(newId("request"));
    await sandboxes.noteWorkspace({ ...(await rowOf()), sizeBytes: 12 });
    expect(await sandboxes.beginWorkspaceCopy({ from, to, deployment })).toBe(true);
    expect(await leftovers(to.host)).toEqual([{ workspaceId: to.workspaceId, copyOf: from.workspaceId }]);
    expect(await rowOf()).toMatchObject({ ...from, isCopied: true });
    expect(await sandboxes.moveWorkspace({ from, to, deployment, copied: true })).toBe(true);
    expect(await rowOf()).toMatchObject({ ...to, isCopied: false, awaitsFiles: false, sizeBytes: null });
    expect(await leftovers(to.host)).toEqual([]);
    expect(await leftovers()).toEqual([{ workspaceId: from.workspaceId, copyOf: null }]);
    // Once.
    expect(await sandboxes.moveWorkspace({ from, to, deployment, copied: true })).toBe(false);
    expect(await rowOf()).toMatchObject(to);
  });

  it("are copied from where they are, and nowhere else", async () => {
    const { sandboxes, from, leftovers } = await sessionOn(scene());
    const to = newPlace(newId("request"));
    const wrong = { ...from, host: "another" };
    expect(await sandboxes.beginWorkspaceCopy({ from: wrong, to, deployment })).toBe(false);
    expect(await leftovers(to.host)).toEqual([]);
    // A copy that nobody wrote down beforehand becomes nobody's.
    expect(await sandboxes.moveWorkspace({ from, to, deployment, copied: true })).toBe(false);
  });

  it("become the copy that was begun last, and none after somebody wrote", async () => {
    const { sandboxes, from, rowOf } = await sessionOn(scene());
    const [first, second] = [newPlace(newId("request")), newPlace(newId("request"))];
    await sandboxes.beginWorkspaceCopy({ from, to: first, deployment });
    await sandboxes.beginWorkspaceCopy({ from, to: second, deployment });
    expect(await sandboxes.moveWorkspace({ from, to: first, deployment, copied: true })).toBe(false);
    await sandboxes.cancelWorkspaceCopies(from.workspaceId);
    expect(await rowOf()).toMatchObject({ ...from, isCopied: false });
    expect(await sandboxes.moveWorkspace({ from, to: second, deployment, copied: true })).toBe(false);
    const third = newPlace(newId("request"));
    await sandboxes.beginWorkspaceCopy({ from, to: third, deployment });
    const moves = [1, 2].map(() => sandboxes.moveWorkspace({ from, to: third, deployment, copied: true }));
    expect((await Promise.all(moves)).filter(Boolean)).toHaveLength(1);
    expect(await rowOf()).toMatchObject(third);
  });

  it("of all sessions of a user go together", async () => {
    const here = scene();
    const change = { userId: newId("user"), strategy: "User-Exclusive" } as const;
    const { sandboxes, from, owner, rowOf } = await sessionOn(here, undefined, change);
    const other = await ownerIn(here, change);
    await sandboxes.ensureWorkspace({ ...other, ...newPlace("unused"), folder: other.sessionId });
    expect(await rowOf(other)).toMatchObject({ ...from, folder: other.sessionId });
    const to = newPlace(newId("request"));
    await sandboxes.beginWorkspaceCopy({ from, to, deployment });
    expect(await sandboxes.moveWorkspace({ from, to, deployment, copied: true })).toBe(true);
    for (const one of [owner, other])
      expect(await rowOf(one)).toMatchObject({ ...to, folder: one.sessionId });
    expect(await sandboxes.sharers(to.workspaceId)).toBe(2);
  });
}

function useTests(scene: () => Scene): void {
  it("stay while a sandbox has them, and until it has ended", async () => {
    const here = scene();
    const { sandboxes, from, owner, rowOf } = await sessionOn(here, "local");
    const reserved = await reserve(here, owner, { workspaceId: from.workspaceId });
    if (reserved.kind !== "new") throw new Error(`not new: ${reserved.kind}`);
    const { id, incarnation } = reserved.record;
    const to = newPlace(newId("request"));
    const begin = () => sandboxes.beginWorkspaceCopy({ from, to, deployment });
    const move = (copied: boolean) => sandboxes.moveWorkspace({ from, to, deployment, copied });
    await begin();
    expect([await move(true), await move(false)]).toEqual([false, false]);
    await sandboxes.move({ id, incarnation, from: ["requested"], to: "destroying", reason: "test" });
    // What is being ended may still write into what is copied.
    expect(await move(true)).toBe(false);
    await sandboxes.move({ id, incarnation, from: ["destroying"], to: "destroyed" });
    expect(await move(true)).toBe(true);
    expect(await rowOf()).toMatchObject(to);
  });

  it("are refused to a sandbox that was meant for where they were", async () => {
    const here = scene();
    const { sandboxes, from, owner } = await sessionOn(here, "local");
    const to = newPlace("local");
    await sandboxes.beginWorkspaceCopy({ from, to, deployment });
    await sandboxes.moveWorkspace({ from, to, deployment, copied: true });
    expect(await refusal(reserve(here, owner, { workspaceId: from.workspaceId }))).toBe("sandbox_gone");
    expect((await reserve(here, owner, { workspaceId: to.workspaceId })).kind).toBe("new");
  });
}

function deadHostTests(scene: () => Scene): void {
  it("are given up with a dead host: empty, and awaiting their files until they are there", async () => {
    const { sandboxes, from, rowOf, leftovers, owner } = await sessionOn(scene());
    const copy = newPlace(newId("request"));
    await sandboxes.beginWorkspaceCopy({ from, to: copy, deployment });
    const to = newPlace(newId("request"));
    expect(await sandboxes.moveWorkspace({ from, to, deployment, copied: false })).toBe(true);
    expect(await rowOf()).toMatchObject({ ...to, awaitsFiles: true });
    expect(await leftovers()).toEqual([{ workspaceId: from.workspaceId, copyOf: null }]);
    // The copy of what was given up is nobody's.
    expect(await leftovers(copy.host)).toEqual([{ workspaceId: copy.workspaceId, copyOf: null }]);
    const filled = (workspaceId: string) =>
      sandboxes.noteWorkspaceFilled({ orgId: owner.orgId, sessionId: owner.sessionId, workspaceId });
    expect(await filled(from.workspaceId)).toBe(false);
    expect(await rowOf()).toMatchObject({ awaitsFiles: true });
    expect(await filled(to.workspaceId)).toBe(true);
    expect(await rowOf()).toMatchObject({ awaitsFiles: false });
  });

  it("still await their files when they are moved empty", async () => {
    const { sandboxes, from, rowOf } = await sessionOn(scene());
    const [second, third] = [newPlace(newId("request")), newPlace(newId("request"))];
    await sandboxes.moveWorkspace({ from, to: second, deployment, copied: false });
    await sandboxes.beginWorkspaceCopy({ from: second, to: third, deployment });
    expect(await sandboxes.moveWorkspace({ from: second, to: third, deployment, copied: true })).toBe(true);
    expect(await rowOf()).toMatchObject({ ...third, awaitsFiles: true });
  });
}

function leftoverTests(scene: () => Scene): void {
  it("are removed only as leftovers: never what became somebody's, and no copy becomes anybody's afterwards", async () => {
    const { sandboxes, from, rowOf, leftovers } = await sessionOn(scene());
    const to = newPlace(newId("request"));
    expect(await sandboxes.claimLeftover(from.workspaceId)).toBe(false);
    await sandboxes.beginWorkspaceCopy({ from, to, deployment });
    expect(await sandboxes.claimLeftover(to.workspaceId)).toBe(true);
    expect(await sandboxes.moveWorkspace({ from, to, deployment, copied: true })).toBe(false);
    expect(await rowOf()).toMatchObject(from);
    await sandboxes.forgetLeftover(to.workspaceId);
    expect(await leftovers(to.host)).toEqual([]);
    const next = newPlace(to.host);
    await sandboxes.beginWorkspaceCopy({ from, to: next, deployment });
    await sandboxes.moveWorkspace({ from, to: next, deployment, copied: true });
    expect(await sandboxes.claimLeftover(next.workspaceId)).toBe(false);
    expect(await sandboxes.claimLeftover(from.workspaceId)).toBe(true);
  });

  it("are told of one deployment and one host", async () => {
    const { sandboxes, from, leftovers } = await sessionOn(scene());
    const to = newPlace(newId("request"));
    await sandboxes.beginWorkspaceCopy({ from, to, deployment });
    expect(await sandboxes.leftoverWorkspaces(to.host, "dep_2")).toEqual([]);
    expect(await leftovers()).toEqual([]);
    expect(await leftovers(to.host)).toHaveLength(1);
  });
}

function listTests(scene: () => Scene): void {
  it("are listed by host, each once, in pages: with files, of sessions that there are, and whether they are in use", async () => {
    const here = scene();
    const host = newId("request");
    const change = { userId: newId("user"), strategy: "User-Exclusive" } as const;
    const shared = await sessionOn(here, host, change);
    const second = await ownerIn(here, change);
    const { sandboxes } = shared;
    await sandboxes.ensureWorkspace({ ...second, ...newPlace(host), folder: second.sessionId });
    const used = await sessionOn(here, host);
    const reserved = await reserve(here, used.owner, { workspaceId: used.from.workspaceId, host });
    if (reserved.kind !== "new") throw new Error(`not new: ${reserved.kind}`);
    const empty = await sessionOn(here);
    const to = newPlace(host);
    await sandboxes.moveWorkspace({ from: empty.from, to, deployment, copied: false });
    const deleted = await sessionOn(here, host);
    await here.store.org(here.orgId).deleteSession(deleted.owner.sessionId);
    const [first, ...rest] = await sandboxes.workspacesOn({ host, limit: 1 });
    expect(rest).toEqual([]);
    const after = first?.workspaceId ?? "";
    const all = [
      ...(first === undefined ? [] : [first]),
      ...(await sandboxes.workspacesOn({ host, after, limit: 10 })),
    ];
    expect(all.map(({ workspaceId, inUse }) => ({ workspaceId, inUse }))).toEqual(
      [
        { workspaceId: shared.from.workspaceId, inUse: false },
        { workspaceId: used.from.workspaceId, inUse: true },
      ].toSorted((a, b) => (a.workspaceId < b.workspaceId ? -1 : 1)),
    );
    const told = all.find(({ workspaceId }) => workspaceId === shared.from.workspaceId);
    expect([shared.owner.sessionId, second.sessionId]).toContain(told?.sessionId);
    expect(told).toMatchObject({ host, orgId: here.orgId });
    // What is being ended may still write.
    const { id, incarnation } = reserved.record;
    await sandboxes.move({ id, incarnation, from: ["requested"], to: "destroying", reason: "test" });
    const usedNow = async () =>
      (await sandboxes.workspacesOn({ host, limit: 10 })).filter(({ inUse }) => inUse);
    expect(await usedNow()).toHaveLength(1);
    await sandboxes.move({ id, incarnation, from: ["destroying"], to: "destroyed" });
    expect(await usedNow()).toEqual([]);
  });
}
