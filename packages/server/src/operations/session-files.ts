import type { FileEntry, FileList } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { GrepMatch, SandboxFiles } from "../sandbox/sandbox.ts";
import type { SessionRecord } from "../store/records.ts";
import { readableSession, sessionFor } from "./access.ts";
import type { OperationsContext } from "./context.ts";

export interface FilesRequest {
  readonly sessionId: string;
}

/** Bytes of a file that are read at a time. */
const pieceBytes = 1 << 20;

/** What is in a folder of the workspace; nothing when there is no workspace yet. */
export async function listFiles(
  context: OperationsContext,
  principal: Principal,
  request: FilesRequest & { readonly path: string; readonly depth: number; readonly limit: number },
): Promise<FileList> {
  const { path, depth, limit } = request;
  const files = await filesOf(context, await readableSession({ context, principal, id: request.sessionId }));
  if (files === null && path === "") return { items: [], truncated: false };
  if (files === null) throw fileNotFound(path);
  const { items, truncated } = await files.list(path, { depth, limit });
  return { items: [...items], truncated };
}

export interface FileDownload {
  readonly size: number;
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** A file's bytes, read as they are taken. Rejects with `file_not_found`, `not_a_file` or `path_invalid`. */
export async function downloadFile(
  context: OperationsContext,
  principal: Principal,
  request: FilesRequest & { readonly path: string },
): Promise<FileDownload> {
  const { path } = request;
  const files = await filesOf(context, await readableSession({ context, principal, id: request.sessionId }));
  const stat = await files?.stat(path);
  if (!files || !stat) throw fileNotFound(path);
  if (stat.kind !== "file") throw new BerthError("not_a_file", `${path} is no file: name one.`);
  const name = path.split("/").findLast((part) => part !== "") ?? "file";
  return { size: stat.size, name, pieces: piecesOf(files, path, stat.size) };
}

/** Exactly `size` bytes, or an error: the length was promised already. */
async function* piecesOf(files: SandboxFiles, path: string, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size;) {
    const piece = await files.read(path, { offset, length: Math.min(pieceBytes, size - offset) });
    if (piece.byteLength === 0)
      throw new BerthError("file_changed", `${path} became shorter while it was read.`);
    offset += piece.byteLength;
    yield piece;
  }
}

interface Found<T> {
  readonly items: T[];
  readonly truncated: boolean;
}

/** Paths that match a glob pattern. */
export async function globFiles(
  context: OperationsContext,
  principal: Principal,
  request: FilesRequest & { readonly pattern: string; readonly path: string; readonly limit: number },
): Promise<Found<string>> {
  const { pattern, path, limit } = request;
  const files = await searched(context, principal, request);
  if (files === null) return { items: [], truncated: false };
  const { items, truncated } = await files.glob(pattern, { path, limit });
  return { items: [...items], truncated };
}

/** Lines that match a regular expression. Rejects with `pattern_invalid` or `search_timeout`. */
export async function grepFiles(
  context: OperationsContext,
  principal: Principal,
  request: FilesRequest & {
    readonly pattern: string;
    readonly path: string;
    readonly glob?: string | undefined;
    readonly ignoreCase: boolean;
    readonly limit: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Found<GrepMatch>> {
  const { pattern, path, glob, ignoreCase, limit, signal } = request;
  const files = await searched(context, principal, request);
  if (files === null) return { items: [], truncated: false };
  const { items, truncated } = await files.grep(pattern, {
    path,
    ignoreCase,
    limit,
    ...(glob !== undefined && { glob }),
    ...(signal !== undefined && { signal }),
  });
  return { items: [...items], truncated };
}

/** What a path is now; null when there is nothing. */
export async function findFile(
  context: OperationsContext,
  session: SessionRecord,
  path: string,
): Promise<FileEntry | null> {
  const files = await filesOf(context, session);
  const stat = await files?.stat(path);
  if (!stat) return null;
  return { path, kind: stat.kind, size: stat.size, modifiedAt: new Date(stat.modifiedMs).toISOString() };
}

/** Where a search looks; null when there is no workspace yet. */
async function searched(
  context: OperationsContext,
  principal: Principal,
  { sessionId }: FilesRequest,
): Promise<SandboxFiles | null> {
  return filesOf(
    context,
    await sessionFor({ context, principal, id: sessionId, permission: "session:read" }),
  );
}

/** The session's files if it has any: reading never makes a workspace. */
function filesOf(
  { sandboxes }: OperationsContext,
  { orgId, id }: SessionRecord,
): Promise<SandboxFiles | null> {
  return sandboxes.files({ orgId, sessionId: id });
}

function fileNotFound(path: string): BerthError {
  return new BerthError("file_not_found", `There is no ${path === "" ? "file" : path} in the workspace.`);
}
