/** Runs in a thread of its own, because a tree may have very many files. */
import {
  closeSync,
  constants,
  type Dir,
  chmodSync,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  type Stats,
} from "node:fs";
import { parentPort } from "node:worker_threads";
import type { Measured, MeasureJob, MeasureReport } from "./measure.ts";

/** Folders that are held open at a time; those above are found again by their child's `..`. */
const heldOpen = 64;
const folderFlags = constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_RDONLY;

/** A folder on the way down. */
interface Level {
  fd: number | null;
  readonly device: number;
  readonly inode: number;
  /** Its folders that were not entered yet. */
  readonly pending: string[];
}

class Moved extends Error {}

/** Adds up a tree without ever following a link or leaving it, however deep it is, while others may change it. */
function measure({ root, maxBytes, maxFiles }: MeasureJob): Measured {
  const sum = { bytes: 0, files: 0 };
  const linked = new Set<string>();
  const levels: Level[] = [];
  const over = () => sum.bytes > maxBytes || sum.files > maxFiles;

  function add(stat: Stats): void {
    sum.files++;
    if (stat.nlink > 1 && !stat.isDirectory()) {
      const key = `${stat.dev}/${stat.ino}`;
      if (linked.has(key)) return;
      linked.add(key);
    }
    sum.bytes += stat.blocks * 512;
  }

  function enter(path: string): void {
    const fd = openFolder(path);
    if (fd === null) return;
    const { dev, ino } = fstatSync(fd);
    const level: Level = { fd, device: dev, inode: ino, pending: [] };
    levels.push(level);
    for (const name of namesIn(fd)) {
      const stat = lstatSync(`/proc/self/fd/${fd}/${name}`, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      add(stat);
      if (stat.isDirectory()) level.pending.push(name);
      if (over()) return;
    }
    const farUp = levels.at(-1 - heldOpen);
    if (farUp?.fd != null && levels.length - heldOpen > 1) {
      closeSync(farUp.fd);
      farUp.fd = null;
    }
  }

  function leave(): void {
    const child = levels.pop();
    const parent = levels.at(-1);
    if (child?.fd == null) return;
    try {
      if (parent !== undefined && parent.fd === null) parent.fd = openParent(child.fd, parent);
    } finally {
      closeSync(child.fd);
    }
  }

  try {
    enter(root);
    while (levels.length > 0 && !over()) {
      const here = levels.at(-1);
      const name = here?.pending.pop();
      if (here?.fd == null || name === undefined) leave();
      else enter(`/proc/self/fd/${here.fd}/${name}`);
    }
    return { ...sum, complete: !over() };
  } catch (thrown) {
    if (thrown instanceof Moved) return { ...sum, complete: false };
    throw thrown;
  } finally {
    for (const { fd } of levels) if (fd !== null) closeSync(fd);
  }
}

/** Null for what vanished, or is no folder any more. One that its owner closed is opened for a moment. */
function openFolder(path: string): number | null {
  try {
    return openSync(path, folderFlags);
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== "EACCES") return null;
  }
  try {
    return openLocked(path);
  } catch {
    return null;
  }
}

/** Linux's O_PATH: a place in the tree, opened without the right to read it. */
const O_PATH = 0o10000000;

function openLocked(path: string): number {
  const place = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { mode } = fstatSync(place);
    const through = `/proc/self/fd/${place}`;
    chmodSync(through, 0o700);
    try {
      return openSync(through, constants.O_DIRECTORY | constants.O_RDONLY);
    } finally {
      chmodSync(through, mode & 0o7777);
    }
  } finally {
    closeSync(place);
  }
}

function* namesIn(fd: number): Generator<string> {
  let folder: Dir;
  try {
    folder = opendirSync(`/proc/self/fd/${fd}`, { bufferSize: 256 });
  } catch {
    return;
  }
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) yield entry.name;
  } finally {
    folder.closeSync();
  }
}

/** Throws when the child is not where it was: what is above it now may be anything. */
function openParent(child: number, expected: Level): number {
  const fd = openSync(`/proc/self/fd/${child}/..`, folderFlags);
  const { dev, ino } = fstatSync(fd);
  if (dev === expected.device && ino === expected.inode) return fd;
  closeSync(fd);
  throw new Moved("a folder was moved while the tree was measured");
}

parentPort?.on("message", ({ number, ...job }: MeasureJob & { readonly number: number }) => {
  const report = (told: MeasureReport) => parentPort?.postMessage(told);
  try {
    report({ number, measured: measure(job) });
  } catch (thrown) {
    report({ number, failed: thrown instanceof Error ? thrown.message : String(thrown) });
  }
});
