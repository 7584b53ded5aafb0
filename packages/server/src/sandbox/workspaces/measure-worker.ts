/** Runs in a thread of its own, because a tree may have very many files. */
import {
  chmodSync,
  closeSync,
  constants,
  type Dir,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  type Stats,
} from "node:fs";
import { parentPort } from "node:worker_threads";
import { bytesOfPath } from "../files/bytes-of-path.ts";
import type { Measured, MeasureJob, MeasureReport } from "./measure.ts";

/** Folders that are held open at a time; those above are found again by their child's `..`. */
const heldOpen = 64;
const folderFlags = constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_RDONLY;

/** A folder on the way down. */
interface Level {
  fd: number | null;
  readonly device: number;
  readonly inode: number;
  /** Names of its folders that were not entered yet, as `bytesOfPath` takes them. */
  readonly pending: string[];
  /** What it had of permissions and gets back, if it had to be given more; else null. */
  readonly lockedMode: number | null;
}

class Moved extends Error {}

/** Adds up a tree without ever following a link or leaving it, however deep it is, while others may change it. */
function measure({ root, maxBytes, maxFiles }: MeasureJob): Omit<Measured, "tookMs"> {
  const sum = { bytes: 0, files: 0 };
  const linked = new Set<string>();
  const levels: Level[] = [];
  let missed = false;
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

  /** Null for what vanished, or became another thing. What cannot be looked at for any other reason is missing in the sum. */
  function unlessGone<T>(look: () => T): T | null {
    try {
      return look();
    } catch (thrown) {
      const { code } = thrown as { code?: unknown };
      if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP") missed = true;
      return null;
    }
  }

  function enter(path: string | Buffer): void {
    const opened = unlessGone(() => openFolder(path));
    if (opened === null) return;
    const { fd, lockedMode } = opened;
    const { dev, ino } = fstatSync(fd);
    const level: Level = { fd, device: dev, inode: ino, pending: [], lockedMode };
    levels.push(level);
    unlessGone(() => {
      for (const name of namesIn(fd)) {
        const stat = unlessGone(() => lstatSync(placeOf(fd, name)));
        if (stat === null) continue;
        add(stat);
        if (stat.isDirectory()) level.pending.push(name);
        if (over()) return;
      }
    });
    if (over()) return;
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
      close(child);
    }
  }

  try {
    enter(root);
    while (levels.length > 0 && !over()) {
      const here = levels.at(-1);
      const name = here?.pending.pop();
      if (here?.fd == null || name === undefined) leave();
      else enter(placeOf(here.fd, name));
    }
    return { ...sum, complete: !over() && !missed };
  } catch (thrown) {
    if (thrown instanceof Moved) return { ...sum, complete: false };
    throw thrown;
  } finally {
    for (const level of levels) close(level);
  }
}

interface OpenedFolder {
  readonly fd: number;
  readonly lockedMode: number | null;
}

/** One that its owner closed is open to its owner until it is left: a name in it is looked up by its permissions each time. */
function openFolder(path: string | Buffer): OpenedFolder {
  try {
    const fd = openSync(path, folderFlags);
    const isOpen = process.getuid?.() === 0 || (fstatSync(fd).mode & 0o700) === 0o700;
    if (isOpen) return { fd, lockedMode: null };
    closeSync(fd);
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== "EACCES") throw thrown;
  }
  return openLocked(path);
}

/** Linux's O_PATH: a place in the tree, opened without the right to read it. */
const O_PATH = 0o10000000;

function openLocked(path: string | Buffer): OpenedFolder {
  const place = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const lockedMode = fstatSync(place).mode & 0o7777;
    const through = `/proc/self/fd/${place}`;
    chmodSync(through, lockedMode | 0o700);
    return { fd: openSync(through, constants.O_DIRECTORY | constants.O_RDONLY), lockedMode };
  } finally {
    closeSync(place);
  }
}

function close({ fd, lockedMode }: Level): void {
  if (fd === null) return;
  if (lockedMode !== null) fchmodSync(fd, lockedMode);
  closeSync(fd);
}

const placeOf = (fd: number, name: string) => bytesOfPath(`/proc/self/fd/${fd}/${name}`);

function* namesIn(fd: number): Generator<string> {
  const folder: Dir = opendirSync(`/proc/self/fd/${fd}`, { bufferSize: 256, encoding: "latin1" });
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
  const began = performance.now();
  try {
    report({ number, measured: { ...measure(job), tookMs: performance.now() - began } });
  } catch (thrown) {
    report({ number, failed: thrown instanceof Error ? thrown.message : String(thrown) });
  }
});
