import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Files {
  /** Blobs: those of deleted sessions stay for a day. */
  readonly blobs: number;
  /** Of the workspaces and sandboxes of sessions that are there: how many they are is chance. */
  readonly alive: number;
  /** All else, which must not grow. */
  readonly rest: number;
}

/** Counts files and folders by whose they are. `names`: of workspaces and sandboxes of sessions that are there; paths have them in them. */
export function countFiles(paths: readonly string[], names: ReadonlySet<string>): Files {
  const isOf = (path: string) => path.split("/").some((part) => names.has(part.replace(/\..*/, "")));
  const others = paths.filter((path) => !path.startsWith("blobs/"));
  const alive = others.filter(isOf).length;
  return { blobs: paths.length - others.length, alive, rest: others.length - alive };
}

/** Those of a data folder whose server is at rest. `sessions`: ids of those that were made and not deleted yet. */
export function filesIn(data: string, sessions: ReadonlySet<string>): Files {
  const db = new DatabaseSync(join(data, "berth.db"), { readOnly: true });
  try {
    const rows = [
      ...db.prepare("SELECT session_id AS session, workspace_id AS name FROM workspaces").all(),
      ...db.prepare("SELECT session, id AS name FROM sandboxes WHERE session IS NOT NULL").all(),
    ];
    const names = rows.filter(({ session }) => sessions.has(String(session))).map(({ name }) => String(name));
    return countFiles(readdirSync(data, { recursive: true, encoding: "utf8" }), new Set(names));
  } finally {
    db.close();
  }
}
