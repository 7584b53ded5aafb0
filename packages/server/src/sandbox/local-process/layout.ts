import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import type { SessionPlace } from "../../allocation/session-sandboxes.ts";
import { errnoOf } from "../files/file-errors.ts";

/** Where the provider keeps its things below the data folder; all on one file system. */
export interface Layout {
  /** 12 random hex digits, made once per data folder: part of every process's mark. */
  readonly installation: string;
  readonly workspaces: string;
  /** One file per started process tree, named by its exec id. */
  readonly processes: string;
  readonly temporary: string;
  readonly staging: string;
  readonly trash: string;
}

/** Makes the folders (mode 0700) and the installation's id when they are missing. */
export function createLayout(dataDir: string): Layout {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const top = realpathSync(dataDir);
  const own = `${top}/sandbox`;
  const folders = {
    workspaces: `${top}/workspaces`,
    processes: `${own}/processes`,
    temporary: `${own}/tmp`,
    staging: `${own}/staging`,
    trash: `${own}/trash`,
  };
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  return { ...folders, installation: installationId(`${own}/installation`) };
}

function installationId(file: string): string {
  try {
    writeFileSync(file, randomBytes(6).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (thrown) {
    if (errnoOf(thrown) !== "EEXIST") throw thrown;
  }
  return readFileSync(file, "utf8");
}

/** Says nothing about the organization or the session: it shows in mount tables, process lists and prompts. */
export function sandboxId(installation: string, { orgId, sessionId }: SessionPlace): string {
  const hash = createHash("sha256").update(`${installation}\0${orgId}\0${sessionId}`).digest("hex");
  return `sbx_${hash.slice(0, 24)}`;
}
