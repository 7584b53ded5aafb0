import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";

/** The server's own keys. None of them is ever stored beside what it protects but in `server.keys` of mode single. */
export interface ServerKeys {
  /** Wraps the organizations' data keys. The first is the one in use, the others only open what they have wrapped. */
  readonly masterKeys: readonly [MasterKey, ...MasterKey[]];
  /** Of the hashes under which API keys are stored. */
  readonly pepper: Buffer;
  /** Of the audit log's chain. */
  readonly auditKey: Buffer;
  /** What they were made of, to be kept out of logs and tool output. */
  readonly texts: readonly Secret[];
}

export interface MasterKey {
  /** Tells which key wrapped something, and nothing about the key. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

export interface ServerKeyOptions {
  readonly dataDir: string;
  readonly preset: PresetKeys;
  /** Mode multi: every key must be set, and none is made. */
  readonly required: boolean;
}

/** What the configuration says. */
export interface PresetKeys {
  /** Only looked at: it must be no weaker than the others in mode multi. */
  readonly adminKey: Secret | null;
  readonly masterKey: Secret | null;
  readonly previousMasterKey: Secret | null;
  readonly keyPepper: Secret | null;
  readonly auditKey: Secret | null;
}

interface KeyTexts {
  readonly masterKey: string;
  readonly keyPepper: string;
  readonly auditKey: string;
}

const fileName = "server.keys";
const names = {
  masterKey: "BERTH_MASTER_KEY",
  keyPepper: "BERTH_KEY_PEPPER",
  auditKey: "BERTH_AUDIT_KEY",
} as const;

/** Where the keys are that a server of mode single makes for itself. */
export function serverKeysPath(dataDir: string): string {
  return join(dataDir, fileName);
}

/**
 * The configured keys; in mode single what is not configured comes from `server.keys` in the data folder, made at the first start
 * with mode 0600. Throws `missing_secrets`, `weak_secret`, `server_keys_exposed` or `server_keys_malformed`.
 */
export async function openServerKeys({ dataDir, preset, required }: ServerKeyOptions): Promise<ServerKeys> {
  const given = {
    masterKey: preset.masterKey?.reveal() ?? null,
    keyPepper: preset.keyPepper?.reveal() ?? null,
    auditKey: preset.auditKey?.reveal() ?? null,
  };
  refuseWeak([
    ...keyNames.map((name) => [names[name], given[name]] as const),
    ["BERTH_PREVIOUS_MASTER_KEY", preset.previousMasterKey?.reveal() ?? null],
    ...(required ? [["BERTH_ADMIN_KEY", preset.adminKey?.reveal() ?? null] as const] : []),
  ]);
  const missing = keyNames.filter((name) => given[name] === null);
  if (required && missing.length > 0) throw missingSecrets(missing.map((name) => names[name]));
  const own = missing.length === 0 ? null : await ensureFile(dataDir);
  const texts: KeyTexts = {
    masterKey: given.masterKey ?? own?.masterKey ?? "",
    keyPepper: given.keyPepper ?? own?.keyPepper ?? "",
    auditKey: given.auditKey ?? own?.auditKey ?? "",
  };
  const previous = preset.previousMasterKey === null ? [] : [masterKeyOf(preset.previousMasterKey.reveal())];
  return {
    masterKeys: [masterKeyOf(texts.masterKey), ...previous],
    pepper: derive(texts.keyPepper, "api keys"),
    auditKey: derive(texts.auditKey, "audit"),
    texts: [
      ...Object.values(texts),
      ...(preset.previousMasterKey === null ? [] : [preset.previousMasterKey.reveal()]),
    ].map((text) => new Secret(text)),
  };
}

/** Keys as `berth secrets generate` prints them: 32 random bytes each. */
export function newKeyText(): string {
  return randomBytes(32).toString("base64url");
}

const keyNames = ["masterKey", "keyPepper", "auditKey"] as const;

function masterKeyOf(text: string): MasterKey {
  const key = derive(text, "vault");
  return {
    id: createHash("sha256").update("berth master key id").update(key).digest("hex").slice(0, 12),
    key,
  };
}

function derive(text: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", text, "berth", purpose, 32));
}

/** A key that is short, or made of few characters, or used twice, is no key. */
function refuseWeak(all: readonly (readonly [name: string, text: string | null])[]): void {
  const seen = new Set<string>();
  for (const [name, text] of all) {
    if (text === null) continue;
    if (text.length < 32 || new Set(text).size < 10) {
      throw weak(`${name} is too weak: it needs at least 32 random characters`);
    }
    if (seen.has(text)) throw weak(`${name} has the value of another key: each needs its own`);
    seen.add(text);
  }
}

async function ensureFile(dataDir: string): Promise<KeyTexts> {
  const path = serverKeysPath(dataDir);
  const existing = await readFile(path);
  if (existing !== null) return existing;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      const texts: KeyTexts = { masterKey: newKeyText(), keyPepper: newKeyText(), auditKey: newKeyText() };
      await file.writeFile(`${JSON.stringify(texts, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // Linked into place: there is never half a file, and of two that make it at once the first one counts.
    await link(draft, path).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
  } finally {
    await unlink(draft).catch(() => {});
  }
  const folder = await open(dataDir, "r");
  await folder.sync().finally(() => folder.close());
  const made = await readFile(path);
  if (made === null) throw malformed(path);
  return made;
}

async function readFile(path: string): Promise<KeyTexts | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      if (codeOf(error) === "ENOENT") return null;
      throw error;
    },
  );
  if (file === null) return null;
  try {
    const stat = await file.stat();
    if ((stat.mode & 0o077) !== 0) throw exposed(path);
    const texts: unknown = stat.isFile() && stat.size < 4_096 ? parse(await file.readFile("utf8")) : null;
    if (!isKeyTexts(texts)) throw malformed(path);
    return texts;
  } finally {
    await file.close();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isKeyTexts(value: unknown): value is KeyTexts {
  if (typeof value !== "object" || value === null) return false;
  return keyNames.every((name) => {
    const text: unknown = Reflect.get(value, name);
    return typeof text === "string" && text.length >= 32;
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}

function missingSecrets(missing: readonly string[]): BerthError {
  return new BerthError(
    "missing_secrets",
    `Mode multi needs ${missing.join(", ")}: make them with \`berth secrets generate\` and keep them where the data folder is not.`,
    { details: { missing } },
  );
}

function weak(why: string): BerthError {
  return new BerthError("weak_secret", `${why}. Make them with \`berth secrets generate\`.`);
}

function exposed(path: string): BerthError {
  return new BerthError(
    "server_keys_exposed",
    `Other users of this machine can get at ${path}. Run: chmod 600 ${path}`,
  );
}

function malformed(path: string): BerthError {
  return new BerthError(
    "server_keys_malformed",
    `${path} does not hold the server's keys. Put the file back: without them stored secrets cannot be opened.`,
  );
}
