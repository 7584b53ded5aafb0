import { readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BerthError } from "../../lib/errors.ts";
import { unusableFolder } from "./data-folder.ts";
import { asStoreError } from "./sqlite-error.ts";

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
  /** Where it answers, once it listens. */
  readonly url: string | null;
}

export interface DataLock {
  /** Adds the holder's address to what a refused second server is told. */
  describe(url: string): void;
  release(): void;
}

const lockFile = "berth.lock";
const holderFile = "berth.lock.json";

/**
 * Holds the data folder for this process: an exclusive transaction on a small database of its own stays open. The operating
 * system ends it with the process, so after a crash the next one gets it at once. A locked database cannot be read, so who
 * holds it stands in a file beside it. Throws `data_dir_in_use` or
 * `data_dir_unusable`.
 */
export function lockDataDir(dataDir: string, now: number): DataLock {
  const path = join(dataDir, lockFile);
  const db = openLock(path, dataDir);
  try {
    db.exec("BEGIN EXCLUSIVE");
  } catch (thrown) {
    db.close();
    const busy = thrown instanceof Error && "errcode" in thrown && thrown.errcode === 5;
    throw busy ? inUse(dataDir) : asStoreError(thrown);
  }
  const holder = { pid: process.pid, host: hostname(), startedAt: new Date(now).toISOString(), url: null };
  try {
    writeHolder(dataDir, holder);
  } catch (cause) {
    db.close();
    throw unusableFolder(dataDir, cause);
  }
  let held = true;
  return {
    describe(url) {
      if (held) writeHolder(dataDir, { ...holder, url });
    },
    release() {
      if (!held) return;
      held = false;
      removeHolder(dataDir);
      db.close();
    },
  };
}

function openLock(path: string, dataDir: string): DatabaseSync {
  try {
    // Two that start together can each block the other for a moment; neither waits longer than this.
    return new DatabaseSync(path, { timeout: 500 });
  } catch (cause) {
    throw unusableFolder(dataDir, cause);
  }
}

/** Who holds the folder is only told to others: a full disk does not keep the holder out. */
function writeHolder(dataDir: string, holder: LockHolder): void {
  const path = join(dataDir, holderFile);
  // One name for all: whoever writes has the lock, and what one left that was killed here is written over.
  const temporary = `${path}.tmp`;
  try {
    writeFileSync(temporary, `${JSON.stringify(holder)}\n`);
    renameSync(temporary, path);
  } catch (thrown) {
    if (!isFull(thrown)) throw thrown;
    for (const file of [temporary, path]) rmSync(file, { force: true });
  }
}

/** Where nothing can be written any more it stays, as after a crash: without the lock nobody reads it. */
function removeHolder(dataDir: string): void {
  try {
    unlinkSync(join(dataDir, holderFile));
  } catch (thrown) {
    if (codeOf(thrown) !== "ENOENT" && codeOf(thrown) !== "EROFS") throw thrown;
  }
}

function isFull(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === "ENOSPC" || code === "EDQUOT";
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : null;
}

function readHolder(dataDir: string): LockHolder | null {
  try {
    return JSON.parse(readFileSync(join(dataDir, holderFile), "utf8")) as LockHolder;
  } catch {
    // It has the lock and has not written its name yet, or is going right now.
    return null;
  }
}

function inUse(dataDir: string): BerthError {
  const holder = readHolder(dataDir);
  const who =
    holder === null
      ? "another Berth process"
      : `Berth process ${holder.pid} on ${holder.host}, started ${holder.startedAt}${holder.url === null ? "" : `, at ${holder.url}`}`;
  return new BerthError(
    "data_dir_in_use",
    `The data folder ${dataDir} is in use by ${who}: stop that server, or choose another folder.`,
    { details: { dataDir, holder } },
  );
}
