import type { InternalInput } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { asBerthError, BerthError } from "../lib/errors.ts";
import type { SandboxFiles } from "../sandbox/sandbox.ts";
import { newInput } from "./accept-inputs.ts";
import { sessionFor } from "./access.ts";
import { settle, type Settled } from "./apply-inputs.ts";
import { checkPath } from "./check-path.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { readTar, type TarEntry, type TarLimits } from "./tar/read-tar.ts";

/** Each file is a change in the session's log, so that forks and rewinds know it: no more than fit into a mailbox. */
const mostFiles = 500;
/** Links and empty folders. */
const mostOthers = 2_000;
const mebibyte = 1024 * 1024;
const limits: TarLimits = { entries: 10_000, bytes: 256 * mebibyte, fileBytes: 32 * mebibyte };

export interface Extracted {
  readonly files: number;
  readonly bytes: number;
  /** What was not made: special files, further names of one file, and links where a folder is or behind a link. How many. */
  readonly skipped: number;
}

/**
 * Writes the files of a tar archive, packed by gzip or not, into a folder of the workspace. Nothing is written when a name in it is refused
 * or it is too large; of two with one name the last one stays. Files are changes in the log; then links, empty folders and what may be run
 * are put into the workspace, and into it alone. Nothing is ever written through a link. Rejects with `archive_invalid`, `archive_too_large` or `path_invalid`.
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
  const plan = await survey(data, path);
  const inputs: InternalInput[] = [];
  let number = 0;
  let bytes = 0;
  for await (const entry of readTar(data, limits)) {
    number++;
    const target = targetOf(path, entry);
    if (entry.kind !== "file" || target === null || plan.last.get(target)?.number !== number) continue;
    const blob = await context.blobs.put(principal.orgId, await entry.read());
    inputs.push({ type: "file.write", path: target, ...blob });
    bytes += blob.size;
  }
  const news = inputs.map((body) => newInput({ lane: "control", body }, principal, origin));
  const { orgId, id } = session;
  return await settle(context, { session, inputs: news, origin }, async () => {
    const workspace = await context.sandboxes.files({ orgId, sessionId: id });
    const skipped = plan.skipped + (await placeOthers(workspace, plan.last));
    return { files: inputs.length, bytes, skipped };
  });
}

interface Planned {
  /** Of the entry, from 1. */
  readonly number: number;
  readonly kind: "file" | "directory" | "link";
  readonly executable: boolean;
  readonly target: string;
}

/** Which entry is the last one of each path. */
async function survey(data: Uint8Array, folder: string) {
  const last = new Map<string, Planned>();
  let [number, skipped, files] = [0, 0, 0];
  for await (const entry of readTar(data, limits)) {
    number++;
    const { kind, executable, target } = entry;
    const path = targetOf(folder, entry);
    if (kind === "hard_link" || kind === "special") skipped++;
    else if (path !== null) {
      if (last.get(path)?.kind === "file") files--;
      last.set(path, { number, kind, executable, target });
      if (kind === "file") files++;
    }
    if (files > mostFiles) throw tooMany(`${mostFiles} files`);
    if (last.size - files > mostOthers) throw tooMany(`${mostOthers} links and folders`);
  }
  return { last, skipped };
}

/** After the files, links last: what of an archive lies behind one of its own links is not made. Returns how many links and folders were not. */
async function placeOthers(
  files: SandboxFiles | null,
  planned: ReadonlyMap<string, Planned>,
): Promise<number> {
  let skipped = 0;
  const tryTo = async (call: () => Promise<void>) => {
    try {
      await call();
    } catch (error) {
      if (!refusedAsIs.includes(asBerthError(error).code)) throw error;
      skipped++;
    }
  };
  for (const [path, { kind, executable }] of planned) {
    if (kind === "directory") await tryTo(() => placeOn(files, (its) => its.makeFolder(path)));
    // Without a word: it is what the file was before that counts, if the file is gone again.
    if (kind === "file" && executable)
      await files?.setExecutable(path, true).catch((error: unknown) => {
        if (!refusedAsIs.includes(asBerthError(error).code)) throw error;
      });
  }
  for (const [path, { kind, target }] of planned)
    if (kind === "link") await tryTo(() => placeOn(files, (its) => its.makeLink(path, target)));
  return skipped;
}

/** Where there is no workspace there is no place for what is not in the log. */
async function placeOn(
  files: SandboxFiles | null,
  call: (files: SandboxFiles) => Promise<void>,
): Promise<void> {
  if (files === null) throw new BerthError("file_not_found", "There is no workspace yet.");
  await call(files);
}

/** Something else is in its place, or on the way to it. */
const refusedAsIs: readonly string[] = [
  "path_invalid",
  "file_exists",
  "file_not_found",
  "not_a_file",
  "not_a_directory",
];

function tooMany(what: string): BerthError {
  return new BerthError(
    "archive_too_large",
    `This archive cannot be taken: it has more than ${what}. Send it in parts, or unpack it with a command.`,
  );
}

/** Where an entry belongs; null for the folder itself. Throws `path_invalid` for every name that leads out, also of what is not made. */
function targetOf(folder: string, { path, kind }: TarEntry): string | null {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (path.startsWith("/")) checkPath(path);
  if (names.length === 0) {
    if (kind === "directory") return null;
    checkPath(path);
  }
  const target = [...folder.split("/"), ...names].filter((name) => name !== "" && name !== ".").join("/");
  checkPath(target);
  return target;
}
