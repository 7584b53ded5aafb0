import type { Blobs } from "../store/blobs.ts";
import type { Store } from "../store/store.ts";
import type { Job } from "./runner.ts";

const hour = 3_600_000;
const day = 24 * hour;
const blobsAtOnce = 1_000;
const rowsAtOnce = 2_000;

/** Forgets what has had its time: idempotency rows and blobs that nothing has referred to after 24 h, ended logins, old invitations. */
export function tidyJob({ store, blobs }: { readonly store: Store; readonly blobs: Blobs }): Job {
  return {
    name: "tidy",
    intervalMs: hour,
    async run() {
      await store.system.prune({ idempotencyMs: day });
      while ((await store.system.identity.pruneIdentity(rowsAtOnce)) > 0);
      const forgotten = await store.system.collectBlobs({ ageMs: day, limit: blobsAtOnce });
      for (const { orgId, hash } of forgotten) await blobs.delete(orgId, hash);
    },
  };
}
