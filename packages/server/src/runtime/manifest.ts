import { BerthError } from "../lib/errors.ts";
import type { SandboxFiles } from "../sandbox/sandbox.ts";
import { filesAfter, type KeptFile } from "../session/file-changes.ts";
import type { KnownFiles } from "../session/known-files.ts";
import type { Blobs } from "../store/blobs.ts";

/** Files beyond these are left out of manifests, and with them of forks and rewinds. */
export const mostFiles = 10_000;
export const mostBytesOfFile = 32 * 1024 * 1024;
export const deepest = 64;

export interface Manifest {
  readonly version: 1;
  readonly files: readonly KeptFile[];
}

/** Where an organization's blobs are. */
export interface BlobSource {
  readonly blobs: Blobs;
  readonly orgId: string;
}

/** The files that a log tells of: those of the manifest with the changes after it. Rejects with `blob_missing`. */
export async function readFiles(
  source: BlobSource,
  { manifest, fileChanges }: KnownFiles,
): Promise<readonly KeptFile[]> {
  return filesAfter(await readManifest(source, manifest?.hash ?? null), fileChanges);
}

/** The files that a manifest names; null names none. */
async function readManifest(source: BlobSource, manifest: string | null): Promise<readonly KeptFile[]> {
  if (manifest === null) return [];
  const data = await source.blobs.get(source.orgId, manifest);
  if (data === null) throw missing("The list of the files of that time");
  return (JSON.parse(Buffer.from(data).toString("utf8")) as Manifest).files;
}

/** A file's content. Rejects with `blob_missing`. */
export async function readBlob({ blobs, orgId }: BlobSource, hash: string): Promise<Uint8Array> {
  const data = await blobs.get(orgId, hash);
  if (data === null) throw new BerthError("blob_missing", `The stored file ${hash} is missing.`);
  return data;
}

/** Reads every file of a manifest, one at a time, and keeps none. Rejects with `blob_missing` when one is not there whole. */
export async function assertWhole({ blobs, orgId }: BlobSource, files: readonly KeptFile[]): Promise<void> {
  const checked = new Set<string>();
  for (const { path, hash } of files) {
    if (checked.has(hash)) continue;
    checked.add(hash);
    const data = await blobs.get(orgId, hash).catch((thrown: unknown) => {
      if (thrown instanceof BerthError && thrown.code === "blob_damaged") return null;
      throw thrown;
    });
    if (data === null) throw missing(`The stored content of ${JSON.stringify(path)}`);
  }
}

/**
 * Makes the files of a workspace exactly those of a manifest. What is not wanted goes last, so that a failure on the way
 * removes nothing but what stood in the place of a wanted file. `mayChange` is asked before each change, and throws to end it there.
 */
export async function fill(
  files: SandboxFiles,
  wanted: readonly KeptFile[],
  { source, mayChange = () => {} }: { readonly source: BlobSource; readonly mayChange?: () => void },
): Promise<void> {
  const free = new Set<string>();
  for (const { path, hash } of wanted) {
    const data = await source.blobs.get(source.orgId, hash);
    if (data === null) throw missing(`The stored content of ${JSON.stringify(path)}`);
    mayChange();
    await makeRoom(files, path, free);
    await files.write(path, data);
  }
  const paths = new Set(wanted.map((file) => file.path));
  const { items } = await files.list("", { depth: deepest, limit: mostFiles });
  for (const { path, kind, size } of items) {
    // A file too big for any manifest cannot be brought back, so it is not taken away either.
    const kept = kind === "directory" || paths.has(path) || size > mostBytesOfFile;
    if (kept) continue;
    mayChange();
    await files.remove(path);
  }
}

/** Removes what stands where a file belongs and is none, and what stands where one of its folders belongs and is none. */
async function makeRoom(files: SandboxFiles, path: string, free: Set<string>): Promise<void> {
  const names = path.split("/");
  for (let length = 1; length <= names.length; length++) {
    const place = names.slice(0, length).join("/");
    if (free.has(place)) continue;
    const kind = (await files.stat(place))?.kind;
    const belongs = length === names.length ? "file" : "directory";
    if (kind !== undefined && kind !== belongs) await files.remove(place);
    if (length < names.length) free.add(place);
  }
}

function missing(what: string): BerthError {
  return new BerthError("blob_missing", `${what} is missing or damaged in the server's store.`);
}
