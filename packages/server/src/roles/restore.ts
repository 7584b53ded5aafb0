import { constants } from "node:fs";
import { copyFile, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  backupKeyOf,
  findServerKeys,
  type MasterKey,
  type ServerKeys,
  serverKeysPath,
} from "../auth/server-keys.ts";
import type { Config } from "../config/schema.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import { erasuresSince } from "../store/backup/noted-erasures.ts";
import type { BackupManifest } from "../store/backup/parts.ts";
import { readBackup } from "../store/backup/read-backup.ts";
import { createDiskBlobs } from "../store/disk/blobs.ts";
import { makeDataFolder } from "../store/sqlite/data-folder.ts";
import { lockDataDir } from "../store/sqlite/data-lock.ts";
import { knownMigrations } from "../store/sqlite/migrate.ts";
import { reviveDatabase } from "../store/sqlite/restored.ts";
import { unfinishedRestore } from "../store/sqlite/unfinished-restore.ts";

export interface RestoreOptions {
  readonly file: string;
  readonly config: Config;
  /** A copy of that server's `server.keys`; it is put into the folder. */
  readonly keysFile: string | null;
  /** Takes the backup of a server with other keys: what they sealed cannot be opened, and API keys stop working. */
  readonly acceptForeign: boolean;
  readonly now: number;
  readonly signal?: AbortSignal;
}

export interface RestoreReceipt {
  readonly file: string;
  readonly data: string;
  readonly deployment: string;
  readonly backupCreatedAt: string;
  readonly backupVersion: string;
  readonly restoredAt: string;
  readonly generation: number;
  readonly sessions: number;
  readonly blobs: number;
  /** Blobs that the backup could not take. */
  readonly missingBlobs: number;
  /** What was erased after the backup was made, by the list that lies beside it: the next start erases it again. */
  readonly erasures: readonly string[];
  readonly keys: "the same" | "foreign";
}

/** What may lie in the folder already: what an operator puts there before. */
const allowed = ["server.keys", "admin.key", "berth.config.json", "lost+found"] as const;
const ownLock = ["berth.lock", "berth.lock-journal", "berth.lock.json"] as const;

/**
 * Puts a backup into an empty data folder, checked to its last byte before anything of it counts. Rejects with `restore_not_empty`,
 * `data_dir_in_use`, `backup_unreadable`, `backup_wrong_key`, `backup_damaged`, `backup_foreign` or `newer_schema`; then the folder is
 * as it was.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReceipt> {
  const { data } = options.config;
  const { keys, server } = await keysFor(options);
  makeDataFolder(data);
  const lock = lockDataDir(data, options.now);
  const staging = unfinishedRestore(data);
  try {
    await requireEmpty(options);
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
  try {
    await mkdir(staging, { mode: 0o700 });
    const read = await stage(options, { keys, server, staging });
    if (options.keysFile !== null)
      await copyFile(options.keysFile, serverKeysPath(data), constants.COPYFILE_EXCL);
    const erasures = await erasuresSince(dirname(options.file), Date.parse(read.manifest.createdAt));
    const revived = reviveDatabase({
      erasures,
      path: join(staging, "berth.db"),
      now: options.now,
      audit: told(read.manifest),
    });
    const receipt: RestoreReceipt = {
      file: options.file,
      data,
      deployment: revived.deployment,
      backupCreatedAt: read.manifest.createdAt,
      backupVersion: read.manifest.version,
      restoredAt: new Date(options.now).toISOString(),
      generation: revived.generation,
      sessions: revived.sessions,
      blobs: read.blobs,
      missingBlobs: read.missingBlobs,
      erasures: erasures.map(({ id }) => id),
      keys: isForeign(read.manifest, server) ? "foreign" : "the same",
    };
    await put(staging, data, receipt);
    return receipt;
  } finally {
    await rm(staging, { recursive: true, force: true });
    lock.release();
    await rm(join(data, "berth.lock"), { force: true });
  }
}

/** Reads a whole backup and checks it, without keeping anything of it. Rejects like `restoreBackup`. */
export async function verifyBackup(
  options: Pick<RestoreOptions, "file" | "config" | "keysFile" | "signal">,
): Promise<{ readonly manifest: BackupManifest; readonly blobs: number; readonly missingBlobs: number }> {
  const { keys } = await keysFor(options);
  const drain = async (bytes: AsyncIterable<Uint8Array>) => {
    for await (const piece of bytes) void piece;
  };
  return readBackup(
    { path: options.file, keys, ...(options.signal !== undefined && { signal: options.signal }) },
    { manifest: async () => {}, database: drain, blob: async () => {} },
  );
}

async function requireEmpty({ config: { data }, keysFile }: RestoreOptions): Promise<void> {
  const harmless = new Set<string>([...allowed, ...ownLock]);
  // The server would take the keys that lie there already, and not those of this backup.
  if (keysFile !== null) harmless.delete("server.keys");
  const existing = (await readdir(data)).filter((name) => !harmless.has(name));
  if (existing.length > 0) throw notEmpty(data, existing);
}

interface Keys {
  /** All that may open the backup. */
  readonly keys: readonly MasterKey[];
  /** Those that the restored server will have; null when they are not all here. */
  readonly server: ServerKeys | null;
}

async function keysFor({ config, keysFile }: Pick<RestoreOptions, "config" | "keysFile">): Promise<Keys> {
  const path = keysFile ?? serverKeysPath(config.data);
  const server = await findServerKeys({ path, preset: config });
  const own = config.backupKey === null ? [] : [backupKeyOf(config.backupKey)];
  const keys = [...own, ...(server?.backupKeys ?? [])];
  if (keys.length > 0) return { keys, server };
  throw new BerthError(
    "backup_key_missing",
    "There is no key to open a backup with: set BERTH_BACKUP_KEY or BERTH_MASTER_KEY as that server had them, or name its server.keys with --keys.",
  );
}

async function stage(
  options: RestoreOptions,
  { keys, server, staging }: Keys & { readonly staging: string },
) {
  const blobs = createDiskBlobs({ dataDir: staging, note: async () => {} });
  const { file, signal, acceptForeign } = options;
  return readBackup(
    { path: file, keys, ...(signal !== undefined && { signal }) },
    {
      async manifest(manifest) {
        const newest = knownMigrations().at(-1)?.number ?? 0;
        if (manifest.schema > newest) throw newer(manifest);
        if (isForeign(manifest, server) && !acceptForeign) throw foreign(manifest, server);
      },
      async database(bytes) {
        const to = await open(join(staging, "berth.db"), "wx", 0o600);
        try {
          for await (const piece of bytes) await to.writeFile(piece);
          await to.sync();
        } finally {
          await to.close();
        }
      },
      blob: async ({ orgId, data }) => void (await blobs.put(orgId, data)),
    },
  );
}

function isForeign({ keys }: BackupManifest, server: ServerKeys | null): boolean {
  if (server === null) return true;
  const { master, pepper, audit } = server.ids;
  const known = server.masterKeys.some(({ id }) => id === keys.master) || master === keys.master;
  return !known || pepper !== keys.pepper || audit !== keys.audit;
}

/** The database goes last: without it the folder is an empty one that somebody has to look at. */
async function put(staging: string, data: string, receipt: RestoreReceipt): Promise<void> {
  await rename(join(staging, "blobs"), join(data, "blobs")).catch((thrown: unknown) => {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
  });
  await writeFile(join(data, "restored.json"), `${JSON.stringify(receipt, null, 2)}\n`, { mode: 0o600 });
  await rename(join(staging, "berth.db"), join(data, "berth.db"));
  const folder = await open(data, "r");
  await folder.sync().finally(() => folder.close());
}

function told(manifest: BackupManifest) {
  return {
    id: newId("audit"),
    actor: { type: "system", id: "restore", name: "restore" },
    credential: null,
    action: "server.restored",
    target: { type: "backup", id: manifest.createdAt },
    outcome: "done",
    requestId: null,
    address: null,
    details: { deployment: manifest.deployment, schema: manifest.schema },
  } as const;
}

function notEmpty(data: string, existing: readonly string[]): BerthError {
  const some = existing.slice(0, 3).join(", ");
  return new BerthError(
    "restore_not_empty",
    `A backup is restored into an empty folder only, and ${data} holds ${some}${existing.length > 3 ? ", …" : ""}: name another one with --data.`,
  );
}

function newer({ version, schema }: BackupManifest): BerthError {
  return new BerthError(
    "newer_schema",
    `This backup was made by a newer Berth (${version}, migration ${schema}): restore it with that version, or a newer one.`,
  );
}

function foreign({ deployment }: BackupManifest, server: ServerKeys | null): BerthError {
  const why =
    server === null
      ? "the keys of its server are not here"
      : "it was made by a server with other keys than those here";
  return new BerthError(
    "backup_foreign",
    `This is a backup of the deployment ${deployment}, and ${why}: its API keys and sealed secrets could not be used. Set BERTH_MASTER_KEY, BERTH_KEY_PEPPER and BERTH_AUDIT_KEY as that server had them, or name its server.keys with --keys; or take it all the same with --accept-foreign.`,
    { details: { deployment } },
  );
}
