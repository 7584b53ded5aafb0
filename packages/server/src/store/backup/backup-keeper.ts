import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { asBerthError, BerthError } from "../../lib/errors.ts";
import type { BackupRecord, Backups } from "../backups.ts";
import type { HoldableBlobs } from "../hold-blobs.ts";
import { noteErasure } from "./noted-erasures.ts";
import type { BackupManifest } from "./parts.ts";
import type { BackupKey } from "./sealed-file.ts";
import { type DatabaseCopy, writeBackup } from "./write-backup.ts";

/** A copy of the database, and what it says of itself. */
export interface OpenCopy extends Omit<DatabaseCopy, "path"> {
  readonly deployment: string;
  readonly generation: number;
  readonly schema: number;
  readonly counts: Readonly<Record<string, number>>;
  close(): void;
}

export interface BackupKeeperOptions {
  readonly folder: string;
  /** Where the copy of the database lies meanwhile, not sealed: below the data folder. */
  readonly workFolder: string;
  readonly key: BackupKey;
  /** Ids of the server's keys. */
  readonly keys: BackupManifest["keys"];
  readonly version: string;
  readonly clock: Pick<Clock, "now">;
  readonly blobs: HoldableBlobs;
  /** Copies the database as it is now and opens the copy. */
  readonly copyDatabase: (to: string) => Promise<OpenCopy>;
  /** Told of each backup that ended. */
  readonly onEnd?: (record: BackupRecord) => void;
}

const nameFormat = /^berth-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.backup$/;

const unknown = { finishedAt: null, bytes: null, progress: null, missingBlobs: null, error: null };

/** `berth-20261121T173000123Z.backup`: in the order of names they are in the order of time. */
function backupName(at: number): string {
  return `berth-${new Date(at).toISOString().replaceAll(/[-:.]/g, "")}.backup`;
}

function timeOf(name: string): number | null {
  const match = nameFormat.exec(name);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, ms] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second, ms);
}

/** Makes backups of one data folder into another, one at a time, and says which there are. */
export function createBackupKeeper(options: BackupKeeperOptions): Backups {
  const { folder, clock } = options;
  /** The one that runs or ran last in this process. */
  let last: BackupRecord | null = null;
  let lastKey: string | undefined;
  let work: Promise<void> = Promise.resolve();
  let ending = new AbortController();

  async function list(): Promise<readonly BackupRecord[]> {
    const names = await readdir(folder).catch(nothingYet);
    const files = await Promise.all(names.map((name) => recordOf(folder, name)));
    const done = files
      .filter((record) => record !== null)
      .map((record) => (record.name === last?.name ? last : record));
    const newestFirst = done.toSorted((a, b) => b.startedAt - a.startedAt);
    return last === null || last.status === "done" ? newestFirst : [last, ...newestFirst];
  }

  return {
    list,
    find: async (name) => (await list()).find((record) => record.name === name) ?? null,
    idle: () => work,
    async start(key) {
      if (last !== null && key !== undefined && key === lastKey) return { record: last, replayed: true };
      if (last?.status === "running") throw running(last);
      const startedAt = clock.now();
      const name = backupName(startedAt);
      const begun: BackupRecord = {
        ...unknown,
        name,
        path: join(folder, name),
        status: "running",
        startedAt,
        progress: { done: 0, total: 0 },
      };
      last = begun;
      lastKey = key;
      ending = new AbortController();
      const { signal } = ending;
      const onProgress = (done: number, total: number) =>
        void (last = { ...begun, progress: { done, total } });
      work = make(options, { path: begun.path, startedAt, signal, onProgress })
        .then((written): BackupRecord => ({
          ...begun,
          ...written,
          status: "done",
          progress: null,
          finishedAt: clock.now(),
        }))
        .catch((thrown: unknown): BackupRecord => ({
          ...begun,
          status: "failed",
          progress: null,
          finishedAt: clock.now(),
          error: asBerthError(thrown).message,
        }))
        .then((ended) => {
          last = ended;
          options.onEnd?.(ended);
        });
      return { record: begun, replayed: false };
    },
    async prune({ keep, maxAgeMs }) {
      const done = (await list()).filter(({ status }) => status === "done");
      const old = done.filter(
        ({ startedAt }, index) => index > 0 && (index >= keep || clock.now() - startedAt > maxAgeMs),
      );
      for (const { path } of old) await rm(path, { force: true });
      return old.map(({ name }) => name);
    },
    noteErasure: (erasure) => noteErasure(folder, erasure),
    async stop() {
      ending.abort(new BerthError("shutting_down", "The server stopped before the backup was done."));
      await work;
    },
  };
}

interface Wanted {
  readonly path: string;
  readonly startedAt: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

async function make(
  options: BackupKeeperOptions,
  { path, startedAt, signal, onProgress }: Wanted,
): Promise<Pick<BackupRecord, "bytes" | "missingBlobs">> {
  const { folder, workFolder, blobs, key, keys, version } = options;
  await emptyFolder(workFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeDrafts(folder);
  const copyPath = join(workFolder, "berth.db");
  // What the copy names must be there when its turn comes.
  const release = blobs.hold();
  try {
    const copy = await options.copyDatabase(copyPath);
    try {
      const { deployment, generation, schema, counts } = copy;
      const createdAt = new Date(startedAt).toISOString();
      const { bytes, missingBlobs } = await writeBackup({
        path,
        key,
        manifest: { version, schema, deployment, generation, createdAt, keys, counts: { ...counts } },
        database: { ...copy, path: copyPath },
        blobs,
        signal,
        onProgress,
      });
      return { bytes, missingBlobs };
    } finally {
      copy.close();
    }
  } finally {
    release();
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** What a backup left that was killed. */
async function emptyFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
}

async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(".backup.tmp")) await rm(join(folder, name), { force: true });
  }
}

async function recordOf(folder: string, name: string): Promise<BackupRecord | null> {
  const startedAt = timeOf(name);
  if (startedAt === null) return null;
  const path = join(folder, name);
  const file = await stat(path).catch(() => null);
  if (file === null) return null;
  const finishedAt = Math.round(file.mtimeMs);
  return { ...unknown, name, path, status: "done", startedAt, finishedAt, bytes: file.size };
}

function nothingYet(thrown: unknown): string[] {
  if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
  throw thrown;
}

function running({ name }: BackupRecord): BerthError {
  return new BerthError("backup_running", `The backup ${name} is being made: wait until it is done.`, {
    retryable: true,
    details: { name },
  });
}
