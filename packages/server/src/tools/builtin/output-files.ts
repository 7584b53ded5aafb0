import type { ContentPart } from "@berth/contract";
import { BerthError } from "../../lib/errors.ts";
import type { SandboxFiles } from "../../sandbox/sandbox.ts";
import type { ToolContext } from "../tool.ts";
import { imageType } from "./image-type.ts";

const maxImages = 8;
const maxImageBytes = 5 * 1024 * 1024;
const maxListed = 50;

interface OutputFiles {
  /** What is in the folder, for the model; null when there is nothing. */
  readonly note: string | null;
  readonly images: readonly ContentPart[];
}

/** What code wrote into its output folder: the images, and a line that names everything. The files stay where they are. */
export async function takeOutputFiles(folder: string, context: ToolContext): Promise<OutputFiles> {
  const files = await context.files();
  const listing = await listed(files, folder);
  const images: ContentPart[] = [];
  const names: string[] = [];
  for (const { path, size } of listing.items) {
    const image = images.length < maxImages ? await readImage(files, { path, size }) : null;
    if (image === null) {
      names.push(`${path} (${size} bytes)`);
      continue;
    }
    const blob = await context.putBlob(image.bytes, image.mediaType);
    images.push({ type: "image", mediaType: image.mediaType, blob });
    names.push(`${path} (shown)`);
  }
  if (names.length === 0) return { note: null, images };
  const more = listing.truncated ? ", and more" : "";
  return { note: `[files: ${names.join(", ")}${more}]`, images };
}

async function listed(files: SandboxFiles, folder: string) {
  try {
    const { items, truncated } = await files.list(folder, { depth: 3, limit: maxListed });
    return { items: items.filter(({ kind }) => kind === "file"), truncated };
  } catch (error) {
    if (error instanceof BerthError && error.code === "file_not_found")
      return { items: [], truncated: false };
    throw error;
  }
}

async function readImage(
  files: SandboxFiles,
  { path, size }: { path: string; size: number },
): Promise<{ bytes: Uint8Array; mediaType: string } | null> {
  if (size > maxImageBytes) return null;
  // What still runs may take it away or make it longer.
  const bytes = await files.read(path, { length: maxImageBytes + 1 }).catch(() => null);
  const mediaType = bytes === null || bytes.length > maxImageBytes ? null : imageType(bytes);
  return bytes === null || mediaType === null ? null : { bytes, mediaType };
}
