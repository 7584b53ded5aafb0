import type { Blobs } from "./blobs.ts";

export interface HoldableBlobs extends Blobs {
  /** From now until the returned function is called nothing is deleted: deletions wait. For whoever copies what was there. */
  hold(): () => void;
}

export function holdableBlobs(blobs: Blobs): HoldableBlobs {
  const holds = new Set<Promise<void>>();
  return {
    ...blobs,
    hold() {
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      holds.add(held);
      return () => {
        holds.delete(held);
        release();
      };
    },
    async delete(orgId, hash) {
      while (holds.size > 0) await Promise.all(holds);
      await blobs.delete(orgId, hash);
    },
  };
}
