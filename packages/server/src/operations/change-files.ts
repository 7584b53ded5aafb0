import type { FileEntry, InternalInput } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { newInput } from "./accept-inputs.ts";
import { sessionFor } from "./access.ts";
import { settle, type Settled } from "./apply-inputs.ts";
import { checkPath } from "./check-path.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { findFile } from "./session-files.ts";
import { timeText } from "./views.ts";

interface FileChange {
  readonly sessionId: string;
  readonly path: string;
  readonly origin: Origin;
}

/** Replaces a file of the workspace, or makes it. The bytes are in the blob store before the change is accepted. */
export async function writeFile(
  context: OperationsContext,
  principal: Principal,
  request: FileChange & { readonly data: Uint8Array; readonly mediaType: string | null },
): Promise<Settled<FileEntry>> {
  const { data, mediaType, path } = request;
  checkPath(path);
  const session = await writable(context, principal, request);
  const blob = await context.blobs.put(principal.orgId, data);
  const body: InternalInput = { type: "file.write", path, ...blob, ...(mediaType !== null && { mediaType }) };
  return settle(context, change(principal, { session, body, origin: request.origin }), ([event]) => ({
    path,
    kind: "file" as const,
    size: blob.size,
    modifiedAt: event?.at ?? timeText(context.clock.now()),
  }));
}

/** Removes a file or a folder with all that is in it. Rejects with `file_not_found`. */
export async function deleteFile(
  context: OperationsContext,
  principal: Principal,
  request: FileChange,
): Promise<Settled<null>> {
  checkPath(request.path);
  const session = await writable(context, principal, request);
  const body = { type: "file.delete", path: request.path } as const;
  return settle(context, change(principal, { session, body, origin: request.origin }), () => null);
}

/** Rejects with `file_not_found` or `file_exists`. */
export async function moveFile(
  context: OperationsContext,
  principal: Principal,
  request: FileChange & { readonly to: string },
): Promise<Settled<FileEntry | null>> {
  const { path, to } = request;
  checkPath(path);
  checkPath(to);
  const session = await writable(context, principal, request);
  const body = { type: "file.move", path, to } as const;
  return settle(context, change(principal, { session, body, origin: request.origin }), () =>
    findFile(context, session, to),
  );
}

function writable(context: OperationsContext, principal: Principal, { sessionId }: FileChange) {
  return sessionFor({ context, principal, id: sessionId, permission: "session:write" });
}

type Change = Parameters<typeof settle>[1];

function change(
  principal: Principal,
  { session, body, origin }: Pick<Change, "session" | "origin"> & { body: InternalInput },
): Change {
  return { session, origin, inputs: [newInput({ lane: "control", body }, principal, origin)] };
}
