import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { localSandboxes } from "../../test/support/sandbox/local-sandboxes.ts";
import type { SessionSandboxes } from "../allocation/session-sandboxes.ts";
import type { Blobs } from "../store/blobs.ts";
import { type SkippedManifest, type TakenManifest, Workspace } from "./workspace.ts";

let folder = "";
let sandboxes: SessionSandboxes;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "berth-workspace-"));
  sandboxes = localSandboxes(folder);
});
afterEach(async () => {
  await sandboxes.close();
  rmSync(folder, { recursive: true, force: true });
});

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

const orgId = "org";
const fresh = { manifest: null, fileChanges: [], workspaceDirty: false };

function hashOf(taken: TakenManifest | SkippedManifest | null): string {
  return taken !== null && "hash" in taken ? taken.hash : "";
}

async function namesIn(sessionId: string): Promise<readonly string[]> {
  const files = await sandboxes.files({ orgId, sessionId });
  const { items } = (await files?.list("", { depth: 2 })) ?? { items: [] };
  return items.map(({ path }) => path).toSorted();
}

describe("the workspace of a fork", () => {
  const blobs = memoryBlobs();
  const parent = async () => {
    const workspace = new Workspace({ sandboxes, blobs, orgId, sessionId: "parent", forkedAt: null });
    const { files } = await workspace.sandbox(fresh);
    await files.write("a", Buffer.from("1"));
    await files.write("b", Buffer.from("2"));
    return hashOf(await workspace.takeManifest({ clock: systemClock, budgetMs: 10_000 }));
  };

  it("is made whole when the server died while it was being restored", async () => {
    const manifest = { hash: await parent(), seq: 8 };
    // What the dead server had come to.
    const { files } = await sandboxes.connect({ orgId, sessionId: "fork" });
    await files.write("a", Buffer.from("1"));
    const workspace = new Workspace({ sandboxes, blobs, orgId, sessionId: "fork", forkedAt: 8 });
    await workspace.sandbox({ manifest, fileChanges: [], workspaceDirty: false });
    expect(await namesIn("fork")).toEqual(["a", "b"]);
  });

  it("is left as it is once somebody has touched it", async () => {
    const manifest = { hash: await parent(), seq: 8 };
    const { files } = await sandboxes.connect({ orgId, sessionId: "fork" });
    await files.write("mine", Buffer.from("3"));
    const touched = [
      { manifest, fileChanges: [], workspaceDirty: true },
      { manifest: { ...manifest, seq: 20 }, fileChanges: [], workspaceDirty: false },
    ];
    for (const kept of touched) {
      const workspace = new Workspace({ sandboxes, blobs, orgId, sessionId: "fork", forkedAt: 8 });
      await workspace.sandbox(kept);
      expect(await namesIn("fork")).toEqual(["mine"]);
    }
  });
});

describe("a restore", () => {
  it("changes nothing more once the session is left: its next holder may be at work on the same files", async () => {
    const blobs = memoryBlobs();
    const spec = { orgId, sessionId: "left" };
    const before = new Workspace({ sandboxes, blobs, ...spec, forkedAt: null });
    const { files } = await before.sandbox(fresh);
    for (const name of ["a", "b", "c"]) await files.write(name, Buffer.from("then"));
    const hash = hashOf(await before.takeManifest({ clock: systemClock, budgetMs: 10_000 }));
    for (const name of ["a", "b", "c", "new"]) await files.write(name, Buffer.from("now"));
    let reads = 0;
    const read = async (org: string, blob: string) => {
      // The list, then the three files: it is left while the second of them is read.
      if (++reads === 3) workspace.leave();
      return await blobs.get(org, blob);
    };
    const workspace = new Workspace({ sandboxes, blobs: { ...blobs, get: read }, ...spec, forkedAt: null });
    const manifest = { hash, seq: 8 };
    await expect(workspace.restore({ manifest, fileChanges: [] })).rejects.toMatchObject({
      code: "sandbox_gone",
    });
    const texts = ["a", "b", "c", "new"].map(async (name) => Buffer.from(await files.read(name)).toString());
    expect(await Promise.all(texts)).toEqual(["then", "now", "now", "now"]);
  });
});

describe("a manifest", () => {
  it("is skipped as a whole when too much is new, told once, and taken when there is less", async () => {
    const blobs = memoryBlobs();
    const workspace = new Workspace({ sandboxes, blobs, orgId, sessionId: "large", forkedAt: null });
    const sandbox = await workspace.sandbox(fresh);
    const time = { clock: systemClock, budgetMs: 20_000 };
    await sandbox.exec({
      command: "for i in $(seq 60); do truncate -s 32M f$i; done; echo 1 > small",
      timeoutMs: 10_000,
    });
    const before = performance.now();
    expect(await workspace.takeManifest(time)).toMatchObject({ toldBefore: false });
    expect(await workspace.takeManifest(time)).toMatchObject({ toldBefore: true });
    expect(performance.now() - before).toBeLessThan(1_000);
    await sandbox.exec({ command: "rm f*", timeoutMs: 10_000 });
    expect(hashOf(await workspace.takeManifest(time))).not.toBe("");
  });

  it("is skipped as a whole when its time is over, and then takes nothing for kept", async () => {
    const blobs = memoryBlobs();
    const workspace = new Workspace({ sandboxes, blobs, orgId, sessionId: "slow", forkedAt: null });
    const { files } = await workspace.sandbox(fresh);
    for (const name of ["a", "b", "c"]) await files.write(name, Buffer.from(name));
    let now = 0;
    // Each look at the clock is a second later.
    const clock = { ...systemClock, monotonic: () => (now += 1_000) };
    expect(await workspace.takeManifest({ clock, budgetMs: 2_500 })).toMatchObject({
      skipped: { code: "manifest_skipped" },
    });
    for (const name of ["a", "b"]) {
      await blobs.delete(orgId, createHash("sha256").update(name).digest("hex"));
    }
    const taken = hashOf(await workspace.takeManifest({ clock: systemClock, budgetMs: 20_000 }));
    const known = { manifest: { hash: taken, seq: 1 }, fileChanges: [] };
    await expect(workspace.assertRestorable(known)).resolves.toBeUndefined();
  });
});

describe("a workspace that cannot be reached any more", () => {
  const time = { clock: systemClock, budgetMs: 20_000 };

  it("begins again with the files of the last manifest: its folder was deleted, or the session is on another host", async () => {
    const blobs = memoryBlobs();
    const of = (where: SessionSandboxes) =>
      new Workspace({ sandboxes: where, blobs, orgId, sessionId: "moved", forkedAt: null });
    const before = of(sandboxes);
    const { files } = await before.sandbox(fresh);
    await files.write("a/b", Buffer.from("kept"));
    const hash = hashOf(await before.takeManifest(time));
    await files.write("late", Buffer.from("written after the manifest"));
    await before.release();
    const kept = { manifest: { hash, seq: 5 }, fileChanges: [], workspaceDirty: true };

    const elsewhere = mkdtempSync(join(tmpdir(), "berth-elsewhere-"));
    const other = localSandboxes(elsewhere);
    try {
      const there = await of(other).files(kept);
      expect((await there.list("", { depth: 2 })).items.map(({ path }) => path)).toEqual(["a", "a/b"]);
      expect(Buffer.from(await there.read("a/b")).toString()).toBe("kept");
    } finally {
      await other.close();
      rmSync(elsewhere, { recursive: true, force: true });
    }

    // On the same host what is there counts, newer than the manifest or not, until it is gone.
    await of(sandboxes).files(kept);
    expect(await namesIn("moved")).toEqual(["a", "a/b", "late"]);
    rmSync(join(folder, "workspaces"), { recursive: true });
    mkdirSync(join(folder, "workspaces"));
    const sandbox = await of(sandboxes).sandbox(kept);
    expect((await sandbox.exec({ command: "cat a/b; ls", timeoutMs: 5_000 })).output).toBe("kepta\n");
  });
});

describe("a file input", () => {
  it("that a holder did before it died is told by the next one, and what nobody did is refused", async () => {
    const blobs = memoryBlobs();
    const workspace = new Workspace({ sandboxes, blobs, orgId, sessionId: "again", forkedAt: null });
    const { hash, size } = await blobs.put(orgId, Buffer.from("1"));
    const now = { hash, size };
    const fileChanges = [
      { path: "d/a", now },
      { path: "gone", now },
    ];
    const kept = { ...fresh, toolsTouched: false, fileChanges };
    const files = await workspace.files(fresh);
    await files.write("d/a", Buffer.from("1"));
    const apply = (body: Parameters<Workspace["apply"]>[0], mayBeDone: boolean, state = kept) =>
      workspace.apply(body, state, { mayBeDone });
    const move = { type: "file.move", path: "d", to: "e" } as const;
    expect(await apply(move, true)).toBeNull();
    expect(await namesIn("again")).toEqual(["e", "e/a"]);
    expect(await apply(move, false)).toMatchObject({ code: "file_not_found" });
    expect(await apply(move, true)).toBeNull();
    expect(await apply({ ...move, to: "f" }, true)).toMatchObject({ code: "file_not_found" });
    const remove = { type: "file.delete", path: "gone" } as const;
    expect(await apply(remove, false)).toMatchObject({ code: "file_not_found" });
    expect(await apply(remove, true)).toBeNull();
    expect(await apply(remove, true, { ...kept, toolsTouched: true })).toMatchObject({
      code: "file_not_found",
    });
    expect(await apply({ ...remove, path: "never" }, true)).toMatchObject({ code: "file_not_found" });
    expect(await namesIn("again")).toEqual(["e", "e/a"]);
  });
});
