import { describe, expect, it } from "vitest";
import type { Blobs } from "./blobs.ts";
import { holdableBlobs } from "./hold-blobs.ts";

function rig() {
  const deleted: string[] = [];
  const blobs: Blobs = {
    put: async () => ({ hash: "", size: 0 }),
    get: async () => null,
    has: async () => false,
    delete: async (_orgId, hash) => void deleted.push(hash),
  };
  return { deleted, held: holdableBlobs(blobs) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("blobs that are held", () => {
  it("are deleted once nobody holds them any more, also when several did", async () => {
    const { deleted, held } = rig();
    const [first, second] = [held.hold(), held.hold()];
    const gone = held.delete("org_1", "a");
    first();
    await turn();
    expect(deleted).toEqual([]);
    second();
    await gone;
    await held.delete("org_1", "b");
    expect(deleted).toEqual(["a", "b"]);
  });

  it("stay held when one hold ends and the next begins", async () => {
    const { deleted, held } = rig();
    const first = held.hold();
    const gone = held.delete("org_1", "a");
    first();
    const second = held.hold();
    await turn();
    expect(deleted).toEqual([]);
    second();
    await gone;
    expect(deleted).toEqual(["a"]);
  });
});
