/** Runs in a thread of its own: a hostile tree has very many folders, and each call takes longer to hand out than to do. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  mkdirSync,
  openSync,
  opendirSync,
  renameSync,
} from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { bytesOfPath } from "./bytes-of-path.ts";
import { errnoOf } from "./file-errors.ts";
import { placeFlags } from "./folder.ts";

/** What is added meanwhile is moved too, but not for ever. */
const longestMs = 30_000;

export interface Flattening {
  /** A folder that only this program uses. */
  readonly bin: string;
  /** Names of folders in it that are made when they are missing. */
  readonly lanes: readonly string[];
}

/** Moves every folder below the bin to the top of a lane, by turns, and makes it writable: then no folder is in another one. */
function flatten({ bin: path, lanes }: Flattening): void {
  const endsAt = performance.now() + longestMs;
  withPlace(path, (bin) => {
    let moved = 0;
    const nextPlace = () => {
      const lane = lanes[moved % lanes.length] ?? "";
      return `${bin}/${lane}/${process.pid}-${++moved}`;
    };
    const found: string[] = [];
    const bring = (from: string) => {
      const to = nextPlace();
      moveUp(bytesOfPath(from), to);
      found.push(to);
    };
    for (const lane of lanes) {
      mkdirSync(`${bin}/${lane}`, { recursive: true });
      // Of an earlier round; with new names, because what is in them may be too.
      for (const { name } of foldersIn(`${bin}/${lane}`)) found.push(`${bin}/${lane}/${name}`);
    }
    for (const { name } of foldersIn(bin)) if (!lanes.includes(name)) bring(`${bin}/${name}`);
    for (let next = found.pop(); next !== undefined; next = found.pop()) {
      if (performance.now() > endsAt) throw new Error("it was added to faster than it could be deleted");
      withPlace(next, (folder) => {
        for (const { name } of foldersIn(folder)) bring(`${folder}/${name}`);
      });
    }
  });
}

/** Calls with a path of an open folder, which leads there whatever is renamed. */
function withPlace(path: string | Buffer, use: (place: string) => void): void {
  const fd = openSync(path, placeFlags);
  try {
    use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** Their names are as `bytesOfPath` takes them. */
function* foldersIn(folder: string): Generator<Dirent> {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    chmodSync(folder, 0o700);
  }
  const dir = opendirSync(folder, { bufferSize: 256, encoding: "latin1" });
  try {
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync())
      if (entry.isDirectory()) yield entry;
  } finally {
    dir.closeSync();
  }
}

function moveUp(from: Buffer, to: string): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    // A folder that may not be written cannot be moved either: its `..` changes.
    if (errnoOf(thrown) !== "EACCES") throw thrown;
    withPlace(from, (place) => chmodSync(place, 0o700));
    renameSync(from, to);
  }
}

flatten(workerData as Flattening);
parentPort?.postMessage("flat");
