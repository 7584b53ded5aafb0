import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { errnoOf } from "../files/file-errors.ts";
import { newRunName } from "../run-name.ts";

/** Where the provider keeps its things below the data folder; all on one file system. */
export interface Layout {
  /** 12 random hex digits, made once per data folder: part of every process's mark. */
  readonly installation: string;
  /** What servers keep while they run: a folder each. */
  readonly runs: string;
  readonly own: RunFolder;
}

/** What one server keeps while it runs. */
export interface RunFolder {
  readonly path: string;
  /** One file per started process tree, named by its exec id. */
  readonly processes: string;
  /** Temporary files of sandboxes, a folder each. */
  readonly temporary: string;
  readonly trash: string;
}

/** Makes the folders (mode 0700) and the installation's id when they are missing. */
export function createLayout(dataDir: string): Layout {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const top = realpathSync(dataDir);
  const runs = `${top}/sandbox/runs`;
  const own = runFolder(`${runs}/${newRunName()}`);
  for (const folder of Object.values(own)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  adoptFormer(`${top}/workspaces`);
  return { installation: installationId(`${top}/sandbox/installation`), runs, own };
}

export function runFolder(path: string): RunFolder {
  return { path, processes: `${path}/processes`, temporary: `${path}/tmp`, trash: `${path}/trash` };
}

function installationId(file: string): string {
  try {
    writeFileSync(file, randomBytes(6).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (thrown) {
    if (errnoOf(thrown) !== "EEXIST") throw thrown;
  }
  return readFileSync(file, "utf8");
}

/**
 * The id of a session's workspace where ids are not drawn but derived: always the same for a data folder and a session. Says nothing
 * about the organization or the session, because it shows in mount tables, process lists and prompts.
 */
export function derivedWorkspaceId(
  installation: string,
  { orgId, sessionId }: { readonly orgId: string; readonly sessionId: string },
): string {
  const hash = createHash("sha256").update(`${installation}\0${orgId}\0${sessionId}`).digest("hex");
  return `wsp_00${hash.slice(0, 24)}`;
}

/** Where Berth 0.1 left the files of sessions: their workspaces get the names of this version. Returns the id of a session's. */
export function openFormerWorkspaces(
  dataDir: string,
): (place: { readonly orgId: string; readonly sessionId: string }) => string {
  mkdirSync(`${dataDir}/sandbox`, { recursive: true, mode: 0o700 });
  adoptFormer(`${dataDir}/workspaces`);
  const installation = installationId(`${dataDir}/sandbox/installation`);
  return (place) => derivedWorkspaceId(installation, place);
}

/** Berth 0.1 named a session's folder `sbx_` and the same 24 digits. */
function adoptFormer(workspaces: string): void {
  if (!existsSync(workspaces)) return;
  for (const name of readdirSync(workspaces)) {
    const digits = /^sbx_([0-9a-f]{24})$/.exec(name)?.[1];
    const adopted = `${workspaces}/wsp_00${digits}`;
    if (digits !== undefined && !existsSync(adopted)) renameSync(`${workspaces}/${name}`, adopted);
  }
}
