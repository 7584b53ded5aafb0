import { createHash } from "node:crypto";
import type { OperationsContext } from "./context.ts";

/**
 * Puts bytes into the organization's blob store. The blob is noted first, so that the collection of unused blobs leaves it
 * alone until an event names it.
 */
export async function keepBlob(
  context: OperationsContext,
  orgId: string,
  data: Uint8Array,
): Promise<{ hash: string; size: number }> {
  const hash = createHash("sha256").update(data).digest("hex");
  await context.store.system.noteBlob({ orgId, hash, size: data.byteLength });
  return context.blobs.put(orgId, data);
}
