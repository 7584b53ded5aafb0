import type { InputBody } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { SandboxFiles } from "../sandbox/sandbox.ts";
import { isAmong, type KeptFile } from "../session/file-changes.ts";
import { type BlobSource, readBlob } from "./manifest.ts";

export type FileInput = Extract<InputBody, { type: "file.write" | "file.delete" | "file.move" }>;

/**
 * Does what a file input asks for. `known` are the files that the log tells of, when a holder before this one may have done it and died
 * before it could say so: then it is done. Rejects with `file_not_found`, `file_exists` or `blob_missing`.
 */
export async function applyFileInput(
  files: SandboxFiles,
  input: FileInput,
  { source, known }: { readonly source: BlobSource; readonly known: readonly KeptFile[] | null },
): Promise<void> {
  if (input.type === "file.write") return await files.write(input.path, await readBlob(source, input.hash));
  if (known !== null && (await isDone(files, input, known))) return;
  if (input.type === "file.move") return await files.move(input.path, input.to);
  if (await files.remove(input.path)) return;
  throw new BerthError("file_not_found", `There is no file ${JSON.stringify(input.path)} in the workspace.`);
}

/** What the log says to be there is gone, and where it was to be moved to is something. */
async function isDone(
  files: SandboxFiles,
  input: Exclude<FileInput, { type: "file.write" }>,
  known: readonly KeptFile[],
): Promise<boolean> {
  if ((await files.stat(input.path)) !== null) return false;
  if (input.type === "file.move" && (await files.stat(input.to)) === null) return false;
  return isAmong(known, input.path);
}
