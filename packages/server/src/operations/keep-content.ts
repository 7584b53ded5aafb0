import type { ContentPart } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "./context.ts";

/**
 * Content as a log keeps it: images and files above `settings.inlineBytes` go to the blob store, a blob that is named must be
 * there. Rejects with `unknown_blob`.
 */
export async function keepContent<T extends string | ContentPart[]>(
  context: OperationsContext,
  orgId: string,
  content: T,
): Promise<T | ContentPart[]> {
  if (typeof content === "string") return content;
  return Promise.all(content.map((part) => keepPart(context, orgId, part)));
}

async function keepPart(context: OperationsContext, orgId: string, part: ContentPart): Promise<ContentPart> {
  if (part.type === "text") return part;
  if (part.blob !== undefined) await checkBlob(context, orgId, part.blob);
  const { data, ...rest } = part;
  if (data === undefined || Buffer.byteLength(data, "base64") <= context.settings.inlineBytes) return part;
  const kept = await context.blobs.put(orgId, Buffer.from(data, "base64"));
  return { ...rest, blob: { ...kept, mediaType: part.mediaType } };
}

async function checkBlob(
  context: OperationsContext,
  orgId: string,
  blob: { hash: string; size: number },
): Promise<void> {
  await context.store.system.noteBlob({ orgId, hash: blob.hash, size: blob.size });
  if (await context.blobs.has(orgId, blob.hash)) return;
  throw new BerthError("unknown_blob", `There is no blob ${blob.hash}: send the bytes as data.`);
}
