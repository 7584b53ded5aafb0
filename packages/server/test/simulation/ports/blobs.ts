import { createHash } from "node:crypto";
import type { Blobs } from "../../../src/store/blobs.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Life } from "../engine/life.ts";

/** By organization and hash. */
export type BlobShelf = Map<string, Uint8Array>;

const keyOf = (orgId: string, hash: string) => `${orgId}/${hash}`;

/** The blobs as one life of a process has them: noted in the store before they are there. */
export function blobsOf(shelf: BlobShelf, life: Life, store: Store): Blobs {
  return {
    async put(orgId, data) {
      const hash = createHash("sha256").update(data).digest("hex");
      const size = data.byteLength;
      await store.system.noteBlob({ orgId, hash, size });
      await life.call("blob put", () => void shelf.set(keyOf(orgId, hash), data.slice()));
      return { hash, size };
    },
    get: (orgId, hash, range) =>
      life.call("blob get", () => {
        const data = shelf.get(keyOf(orgId, hash)) ?? null;
        if (data === null || range === undefined) return data;
        return data.subarray(range.offset, range.offset + range.length);
      }),
    has: (orgId, hash) => life.call("blob has", () => shelf.has(keyOf(orgId, hash))),
    delete: (orgId, hash) => life.call("blob delete", () => void shelf.delete(keyOf(orgId, hash))),
  };
}
