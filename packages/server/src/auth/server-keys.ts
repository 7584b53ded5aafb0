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
  /** Of the tokens that open previews of sandboxes' ports. */
  readonly previewKey: Buffer;
  /** Seal backups: the configured one, else those that come from the master keys. The first is the one in use. */
  readonly backupKeys: readonly [MasterKey, ...MasterKey[]];
  /** Tell which keys these are, and nothing about them. */
  readonly ids: { readonly master: string; readonly pepper: string; readonly audit: string };
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
  readonly backupKey: Secret | null;
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
  const given = givenBy(preset);
  refuseWeak([
    ...keyNames.map((name) => [names[name], given[name]] as const),
    ["BERTH_PREVIOUS_MASTER_KEY", textOf(preset.previousMasterKey)],
    ["BERTH_BACKUP_KEY", textOf(preset.backupKey)],
    ...(required ? [["BERTH_ADMIN_KEY", textOf(preset.adminKey)] as const] : []),
  ]);
  const missing = keyNames.filter((name) => given[name] === null);
  if (required && missing.length > 0) throw missingSecrets(missing.map((name) => names[name]));
  const own = missing.length === 0 ? null : await ensureFile(dataDir);
  return keysOf({ given, own, preset });
}

/** The keys that a server with this configuration and this `server.keys` would have; null when one is missing. Makes none. */
export async function findServerKeys(where: {
  readonly path: string;
  readonly preset: PresetKeys;
}): Promise<ServerKeys | null> {
  const given = givenBy(where.preset);
  const own = await readFile(where.path);
  if (own === null && keyNames.some((name) => given[name] === null)) return null;
  return keysOf({ given, own, preset: where.preset });
}

/** The key of the audit log alone, by the configuration or a `server.keys`; null when neither has it. Makes none. */
export async function findAuditKey(where: {
  readonly path: string;
  readonly preset: Secret | null;
}): Promise<Buffer | null> {
  const text = textOf(where.preset) ?? (await readFile(where.path))?.auditKey;
  return text === undefined ? null : derive(text, "audit");
}

/** The key of backups that `BERTH_BACKUP_KEY` sets. */
export function backupKeyOf(secret: Secret): MasterKey {
  return identified(derive(secret.reveal(), "backup"), "berth backup key id");
}

type Given = Readonly<Record<(typeof keyNames)[number], string | null>>;

function givenBy({ masterKey, keyPepper, auditKey }: PresetKeys): Given {
  return { masterKey: textOf(masterKey), keyPepper: textOf(keyPepper), auditKey: textOf(auditKey) };
}

function textOf(secret: Secret | null): string | null {
  return secret === null ? null : secret.reveal();
}

function keysOf(from: { given: Given; own: KeyTexts | null; preset: PresetKeys }): ServerKeys {
  const { given, own, preset } = from;
  const text = (name: keyof KeyTexts) => given[name] ?? own?.[name] ?? "";
  const texts = { masterKey: text("masterKey"), keyPepper: text("keyPepper"), auditKey: text("auditKey") };
  const { previousMasterKey, backupKey } = preset;
  const previous = previousMasterKey === null ? [] : [masterKeyOf(previousMasterKey.reveal())];
  const current = masterKeyOf(texts.masterKey);
  const [pepper, auditKey] = [derive(texts.keyPepper, "api keys"), derive(texts.auditKey, "audit")];
  const fromMaster = ({ key }: MasterKey) =>
    identified(derive(key.toString("hex"), "backup"), "berth backup key id");
  return {
    masterKeys: [current, ...previous],
    pepper,
    auditKey,
    previewKey: derive(texts.keyPepper, "previews"),
    backupKeys:
      backupKey === null
        ? [fromMaster(current), ...previous.map(fromMaster)]
        : [backupKeyOf(backupKey), fromMaster(current), ...previous.map(fromMaster)],
    ids: {
      master: current.id,
      pepper: idOf(pepper, "berth pepper id"),
      audit: idOf(auditKey, "berth audit key id"),
    },
    texts: [...Object.values(texts), textOf(previousMasterKey), textOf(backupKey)].flatMap((one) =>
      one === null ? [] : [new Secret(one)],
    ),
  };
}

/** Keys as `berth secrets generate` prints them: 32 random bytes each. */
export function newKeyText(): string {
  return randomBytes(32).toString("base64url");
}

const keyNames = ["masterKey", "keyPepper", "auditKey"] as const;

function masterKeyOf(text: string): MasterKey {
  return identified(derive(text, "vault"), "berth master key id");
}

function identified(key: Buffer, purpose: string): MasterKey {
  return { id: idOf(key, purpose), key };
}

function idOf(key: Buffer, purpose: string): string {
  return createHash("sha256").update(purpose).update(key).digest("hex").slice(0, 12);
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
