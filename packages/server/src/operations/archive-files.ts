import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { SandboxFiles, TreeItem } from "../sandbox/sandbox.ts";
import { readableSession } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { blockBytes, writeHeader } from "./tar/tar-header.ts";

export interface ArchiveDownload {
  /** What a file of it may be called. */
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array>;
}

const mostEntries = 100_000;
/** Bytes of a file that are read at a time. */
const pieceBytes = 1 << 20;

/**
 * A folder of the workspace as a tar archive packed by gzip, made as it is read: paths are relative to the folder; with links as they
 * are, and what may be run. Special files are left out. Rejects with `file_not_found`, `not_a_directory`, `path_invalid` or `archive_too_large`.
 */
export async function archiveFiles(
  { context, principal }: { context: OperationsContext; principal: Principal },
  request: { readonly sessionId: string; readonly path: string },
): Promise<ArchiveDownload> {
  const { path } = request;
  const { orgId, id } = await readableSession({ context, principal, id: request.sessionId });
  const files = await context.sandboxes.files({ orgId, sessionId: id });
  if (files === null && path !== "")
    throw new BerthError("file_not_found", `There is no ${path} in the workspace.`);
  const found = await files?.tree(path, { limit: mostEntries });
  if (found?.truncated) {
    throw new BerthError(
      "archive_too_large",
      `The folder has more than ${mostEntries} files, or some that are too deep, cannot be read or have names that are not UTF-8: take a part of it, or pack it with a command.`,
    );
  }
  const gzip = createGzip();
  const tar = Readable.from(files && found ? pack(files, found.items, path) : [], { objectMode: false });
  tar.once("error", (error) => gzip.destroy(error));
  gzip.once("close", () => tar.destroy());
  const name = path.split("/").findLast((part) => part !== "" && part !== ".") ?? "workspace";
  return { name: `${name}.tar.gz`, pieces: tar.pipe(gzip) };
}

async function* pack(
  files: SandboxFiles,
  items: readonly TreeItem[],
  folder: string,
): AsyncGenerator<Uint8Array> {
  const top = folder.split("/").filter((part) => part !== "" && part !== ".");
  const skipped = top.length === 0 ? 0 : top.join("/").length + 1;
  for (const { path, kind, modifiedMs, executable, target } of items) {
    if (kind === "other") continue;
    // What is there now: it may have grown since it was listed, or gone.
    const stat = await files.stat(path);
    if (stat?.kind !== kind) continue;
    const size = kind === "file" ? stat.size : 0;
    const link = target === null ? {} : { target };
    yield writeHeader({ path: path.slice(skipped), kind, size, modifiedMs, executable, ...link });
    yield* piecesOf(files, path, size);
  }
  yield new Uint8Array(2 * blockBytes);
}

async function* piecesOf(files: SandboxFiles, path: string, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size;) {
    const piece = await files.read(path, { offset, length: Math.min(pieceBytes, size - offset) });
    if (piece.byteLength === 0)
      throw new BerthError("file_changed", `${path} became shorter while it was read.`);
    offset += piece.byteLength;
    yield offset === size ? padLast(piece, size) : piece;
  }
}

function padLast(piece: Uint8Array, size: number): Uint8Array {
  const rest = size % blockBytes;
  return rest === 0 ? piece : Buffer.concat([piece, Buffer.alloc(blockBytes - rest)]);
}
