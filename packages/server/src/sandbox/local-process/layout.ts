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
import { bootId, readStart } from "./process-table.ts";

/** Where the provider keeps its things below the data folder; all on one file system. */
export interface Layout {
  /** 12 random hex digits, made once per data folder: part of every process's mark. */
  readonly installation: string;
  readonly workspaces: string;
  /** What servers keep while they run: a folder each, and beside it a file that says which process it is. */
  readonly runs: string;
  readonly own: RunFolder;
}

/** What one server keeps while it runs. */
export interface RunFolder {
  readonly path: string;
  /** Says which process it is; absent once that has come to its end in order. */
  readonly ownerFile: string;
  /** One file per started process tree, named by its exec id. */
  readonly processes: string;
  /** Temporary files of sandboxes, a folder each. */
  readonly temporary: string;
  readonly staging: string;
  readonly trash: string;
}

/** Makes the folders (mode 0700) and the installation's id when they are missing. */
export function createLayout(dataDir: string): Layout {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const top = realpathSync(dataDir);
  const workspaces = `${top}/workspaces`;
  const runs = `${top}/sandbox/runs`;
  for (const folder of [workspaces, runs]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  adoptFormer(workspaces);
  const own = runFolder(`${runs}/${randomBytes(6).toString("hex")}`);
  const owner = { pid: process.pid, start: readStart(process.pid), boot: bootId() };
  writeFileSync(own.ownerFile, JSON.stringify(owner), { flag: "wx", mode: 0o600 });
  for (const folder of [own.path, own.processes, own.temporary, own.staging, own.trash])
    mkdirSync(folder, { mode: 0o700 });
  return { installation: installationId(`${top}/sandbox/installation`), workspaces, runs, own };
}

export function runFolder(path: string): RunFolder {
  return {
    path,
    ownerFile: `${path}.json`,
    processes: `${path}/processes`,
    temporary: `${path}/tmp`,
    staging: `${path}/staging`,
    trash: `${path}/trash`,
  };
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

/** Berth 0.1 named a session's folder `sbx_` and the same 24 digits. */
function adoptFormer(workspaces: string): void {
  for (const name of readdirSync(workspaces)) {
    const digits = /^sbx_([0-9a-f]{24})$/.exec(name)?.[1];
    const adopted = `${workspaces}/wsp_00${digits}`;
    if (digits !== undefined && !existsSync(adopted)) renameSync(`${workspaces}/${name}`, adopted);
  }
}
