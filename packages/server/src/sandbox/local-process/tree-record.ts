import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import type { Leader } from "./kill-tree.ts";

/**
 * The record of one process tree: a file named by its exec id that exists from before the first process starts until the
 * last one has ended. Its descriptor is handed to the processes as a mark.
 */
export interface TreeRecord {
  readonly execId: string;
  /** For the processes; it cannot be written through. */
  readonly descriptor: number;
  /** Notes the first process. */
  started(leader: { pid: number; start: number | null }): void;
  /** The processes have their descriptor now. */
  close(): void;
  /** The tree has ended. */
  remove(): void;
}

/** `deployment`: whose it is when its server is gone. */
export function createTreeRecord(
  folder: string,
  { execId, deployment }: { execId: string; deployment: string },
): TreeRecord {
  const file = `${folder}/${execId}`;
  const own = openSync(file, "wx", 0o600);
  const descriptor = openSync(file, "r");
  return {
    execId,
    descriptor,
    started: (leader) => void writeSync(own, JSON.stringify({ ...leader, deployment })),
    close() {
      closeSync(descriptor);
      closeSync(own);
    },
    remove: () => rmSync(file, { force: true }),
  };
}

export interface LeftRecord {
  readonly execId: string;
  /** Null when the server ended between the record and the start, or right after it. */
  readonly leader: Leader | null;
  /** Null when that is not known. */
  readonly deployment: string | null;
  remove(): void;
}

/** What a server that ended at once has left; only the trees whose exec id begins with `prefix`. */
export function readTreeRecords(folder: string, prefix: string): LeftRecord[] {
  if (!existsSync(folder)) return [];
  const execIds = readdirSync(folder).filter((execId) => execId.startsWith(prefix));
  return execIds.map((execId) => ({
    execId,
    ...readRecord(`${folder}/${execId}`),
    remove: () => rmSync(`${folder}/${execId}`, { force: true }),
  }));
}

function readRecord(file: string): Pick<LeftRecord, "leader" | "deployment"> {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
    const { pid, start } = kept;
    const deployment = typeof kept["deployment"] === "string" ? kept["deployment"] : null;
    if (typeof pid !== "number" || typeof start !== "number") return { leader: null, deployment };
    return { leader: { pid, start, fresh: false }, deployment };
  } catch {
    return { leader: null, deployment: null };
  }
}
