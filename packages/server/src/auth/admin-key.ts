import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";

const shape = /^brt_[A-Za-z0-9_-]{43}$/;

export interface AdminKeyOptions {
  /** The data folder; made when it is not there. */
  readonly dataDir: string;
  /** `BERTH_ADMIN_KEY`: it is taken as it is, and no file is read or written. */
  readonly preset: Secret | null;
}

export interface AdminKey {
  readonly key: Secret;
  /** Made just now: show it once. */
  readonly created: boolean;
}

/** Where the admin key of a data folder is. */
export function adminKeyPath(dataDir: string): string {
  return join(dataDir, "admin.key");
}

/**
 * The admin key: the preset one, else that of `admin.key` in the data folder, which is made at the first start with mode 0600.
 * Of several that make it at once, all get the same. Throws `admin_key_exposed`, `admin_key_malformed` or `admin_key_unreadable`.
 */
export async function ensureAdminKey({ dataDir, preset }: AdminKeyOptions): Promise<AdminKey> {
  if (preset !== null) return { key: preset, created: false };
  const existing = await readAdminKey(dataDir);
  if (existing !== null) return { key: existing, created: false };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const created = await create(dataDir);
  const key = await readAdminKey(dataDir);
  if (key === null) throw unreadable(adminKeyPath(dataDir), new Error("it vanished while it was read"));
  return { key, created };
}

/** Removes a key that this start made and nobody was shown. */
export async function discardAdminKey(dataDir: string): Promise<void> {
  await unlink(adminKeyPath(dataDir));
}

/** The key in the data folder, null when there is none. Throws like `ensureAdminKey`. */
export async function readAdminKey(dataDir: string): Promise<Secret | null> {
  const path = adminKeyPath(dataDir);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      if (codeOf(error) === "ENOENT") return null;
      throw unreadable(path, error);
    },
  );
  if (file === null) return null;
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw malformed(path);
    if ((stat.mode & 0o077) !== 0) throw exposed(path, stat.mode);
    const text = stat.size > 1_024 ? "" : (await file.readFile("utf8")).trimEnd();
    if (!shape.test(text)) throw malformed(path);
    return new Secret(text);
  } finally {
    await file.close();
  }
}

/** Writes beside the file and links it into place: there is never half a key, and never a second one. False: another was first. */
async function create(dataDir: string): Promise<boolean> {
  const path = adminKeyPath(dataDir);
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(`brt_${randomBytes(32).toString("base64url")}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft).catch(() => {});
  }
  await syncFolder(dataDir);
  return true;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

function exposed(path: string, mode: number): BerthError {
  const octal = (mode & 0o777).toString(8).padStart(3, "0");
  return new BerthError(
    "admin_key_exposed",
    `other users of this machine can get at ${path} (mode ${octal}). If one may have read it, delete it and start again for a new ` +
      `key; else run: chmod 600 ${path}`,
  );
}

function malformed(path: string): BerthError {
  return new BerthError(
    "admin_key_malformed",
    `${path} holds no admin key (brt_ and 43 characters). Put the key back, or delete the file and start again for a new one.`,
  );
}

function unreadable(path: string, cause: unknown): BerthError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BerthError("admin_key_unreadable", `${path} cannot be read: ${reason}. Check who owns it.`, {
    cause,
  });
}
