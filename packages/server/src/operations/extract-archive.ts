import type { InternalInput } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newInput } from "./accept-inputs.ts";
import { sessionFor } from "./access.ts";
import { settle, type Settled } from "./apply-inputs.ts";
import { checkPath } from "./check-path.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { readTar, type TarEntry, type TarLimits } from "./tar/read-tar.ts";

/** Each file is a change in the session's log, so that forks and rewinds know it: no more than fit into a mailbox. */
const mostFiles = 500;
const mebibyte = 1024 * 1024;
const limits: TarLimits = { entries: 10_000, bytes: 256 * mebibyte, fileBytes: 32 * mebibyte };

export interface Extracted {
  readonly files: number;
  readonly bytes: number;
  /** Links and special files, which are not made: how many. */
  readonly skipped: number;
}

/**
 * Writes the files of a tar archive, packed by gzip or not, into a folder of the workspace. Nothing is written when a name in it is refused
 * or it is too large; of two with one name the last one stays. Folders without files, links, special files, owners and permissions are left
 * out. Rejects with `archive_invalid`, `archive_too_large` or `path_invalid`.
 */
export async function extractArchive(
  { context, principal }: { context: OperationsContext; principal: Principal },
  request: {
    readonly sessionId: string;
    readonly path: string;
    readonly data: Uint8Array;
    readonly origin: Origin;
  },
): Promise<Settled<Extracted>> {
  const { data, path, origin } = request;
  const session = await sessionFor({
    context,
    principal,
    id: request.sessionId,
    permission: "session:write",
  });
  if (path !== "") checkPath(path);
  // Once only to look: what is refused stores nothing.
  const { last, skipped } = await survey(data, path);
  const inputs: InternalInput[] = [];
  let number = 0;
  let bytes = 0;
  for await (const entry of readTar(data, limits)) {
    number++;
    const target = targetOf(path, entry);
    if (target === null || last.get(target) !== number) continue;
    const blob = await context.blobs.put(principal.orgId, await entry.read());
    inputs.push({ type: "file.write", path: target, ...blob });
    bytes += blob.size;
  }
  const news = inputs.map((body) => newInput({ lane: "control", body }, principal, origin));
  return await settle(context, { session, inputs: news, origin }, () => ({
    files: inputs.length,
    bytes,
    skipped,
  }));
}

/** Which entry is the last one of each path, counted from 1. */
async function survey(data: Uint8Array, folder: string) {
  const last = new Map<string, number>();
  let number = 0;
  let skipped = 0;
  for await (const entry of readTar(data, limits)) {
    number++;
    if (entry.kind === "link" || entry.kind === "special") skipped++;
    const target = targetOf(folder, entry);
    if (target !== null) last.set(target, number);
    if (last.size > mostFiles) {
      throw new BerthError(
        "archive_too_large",
        `This archive cannot be taken: it has more than ${mostFiles} files. Send it in parts, or unpack it with a command.`,
      );
    }
  }
  return { last, skipped };
}

/** Where an entry's file belongs; null for what is no file. Throws `path_invalid` for every name that leads out, also of what is no file. */
function targetOf(folder: string, { path, kind }: TarEntry): string | null {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (path.startsWith("/")) checkPath(path);
  if (names.length === 0) {
    if (kind === "directory") return null;
    checkPath(path);
  }
  const target = [...folder.split("/"), ...names].filter((name) => name !== "" && name !== ".").join("/");
  checkPath(target);
  return kind === "file" ? target : null;
}
