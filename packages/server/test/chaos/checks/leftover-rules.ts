import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { canonicalJson } from "../../../src/lib/canonical-json.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { encodeState } from "../../../src/session/snapshot.ts";
import { stateVersion } from "../../../src/session/state.ts";
import type { Checklist } from "../checklist.ts";
import type { Exported } from "../kill-loop/settle.ts";
import { processesOf, startOf } from "../processes.ts";

const leftoverRules = {
  processes: "no process of a killed server is left when the next one is ready",
  files: "no temporary files are left",
  database: "the database is sound",
  snapshots: "I8 every stored snapshot is what its log folds to",
} as const;

/** Processes that are older than the server that is ready now: a dead one started them. */
export function checkProcesses(checklist: Checklist, dataDir: string, server: number): void {
  const since = startOf(server) ?? Number.POSITIVE_INFINITY;
  const left = processesOf(dataDir).filter(({ start, pid }) => start < since && pid !== server);
  const story = () => left.map(({ pid, command }) => `${pid}: ${command}`).join("\n");
  checklist.check(leftoverRules.processes, left.length === 0, story);
}

/** After an orderly stop no process is left at all. */
export function checkNoProcess(checklist: Checklist, dataDir: string): void {
  checkProcesses(checklist, dataDir, 0);
}

/** After an orderly stop: nothing half written, nobody's temporary folder, and no more than a lock's worth of other files. */
export function checkFiles(checklist: Checklist, dataDir: string, temporary: string): void {
  for (const folder of ["blobs/tmp", "sandbox/staging", "sandbox/trash", "sandbox/processes"]) {
    const path = join(dataDir, folder);
    const left = existsSync(path) ? readdirSync(path) : [];
    checklist.check(
      leftoverRules.files,
      left.length === 0,
      () => `${folder}: ${left.length} (${left.slice(0, 3).join()})`,
    );
  }
  const odd = [
    ...readdirSync(dataDir).filter((name) => name.endsWith(".tmp")),
    // Node keeps its compiled modules there.
    ...readdirSync(temporary).filter((name) => name !== "node-compile-cache"),
  ];
  checklist.check(leftoverRules.files, odd.length === 0, () => odd.join());
}

/** Reads the store's file itself, after its server has stopped. */
export function checkDatabase(
  checklist: Checklist,
  dataDir: string,
  logs: ReadonlyMap<string, Exported>,
): void {
  checkSoundness(checklist, dataDir);
  const query =
    "SELECT s.id AS id, n.seq AS seq, n.state_version AS version, n.body AS body FROM snapshots n JOIN sessions s ON s.no = n.log_no";
  for (const { id, seq, version, body } of rowsOf(dataDir, query)) {
    const exported = logs.get(String(id));
    if (exported === undefined || Number(version) !== stateVersion) continue;
    const visible = effectiveEvents(exported.log.filter((event) => event.seq <= Number(seq)));
    const wanted = canonicalJson(JSON.parse(encodeState(fold(visible))));
    const same = canonicalJson(JSON.parse(String(body))) === wanted;
    checklist.check(
      leftoverRules.snapshots,
      same,
      () => `the snapshot at ${String(seq)} differs`,
      String(id),
    );
  }
}

export function checkSoundness(checklist: Checklist, dataDir: string): void {
  const found = rowsOf(dataDir, "PRAGMA integrity_check").map((row) => String(Object.values(row)[0]));
  checklist.check(leftoverRules.database, found.join() === "ok", () => found.slice(0, 3).join("; "));
}

function rowsOf(dataDir: string, query: string): readonly Record<string, unknown>[] {
  const db = new DatabaseSync(join(dataDir, "berth.db"), { readOnly: true });
  try {
    return db.prepare(query).all();
  } finally {
    db.close();
  }
}
