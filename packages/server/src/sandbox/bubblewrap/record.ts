import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { errnoOf } from "../files/file-errors.ts";
import { isRunGone, newRunName } from "../run-name.ts";
import { processIdentity } from "./process-identity.ts";

const egressRule = z.strictObject({
  host: z.string(),
  ports: z.array(z.number()).optional(),
  secrets: z.array(z.strictObject({ placeholder: z.string(), value: z.literal("") })).optional(),
});

const shownPolicySchema = z.strictObject({
  limits: z.strictObject({
    memoryBytes: z.number(),
    cpus: z.number(),
    pids: z.number(),
    diskBytes: z.number(),
    inodes: z.number(),
    tmpBytes: z.number(),
    shmBytes: z.number(),
    openFiles: z.number(),
    fileBytes: z.number(),
    processes: z.number(),
  }),
  egress: z.strictObject({ allow: z.array(egressRule) }),
});

/** All that must be known to end a sandbox and remove what belongs to it, by whichever server comes. */
const recordSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  incarnation: z.string(),
  deployment: z.string(),
  template: z.string(),
  workspaceId: z.string().nullable(),
  policy: shownPolicySchema,
  ttlMs: z.number(),
  /** The server that made it, and that it dies with. */
  server: processIdentity,
  /** bubblewrap and the first process in the sandbox; empty before they are started. */
  processes: z.array(processIdentity),
  /** The host's user that it runs as; null: the server's own. */
  uid: z.int().positive().nullable(),
  groups: z.array(z.string()),
  /** In the order in which they were made. */
  mounts: z.array(z.string()),
  /** Sockets and mount points. */
  folder: z.string(),
});

const recordName = "record.json";
const draftName = "record.json.new";
/** All that a sandbox's folder ever holds. */
export const recordNames: readonly string[] = [recordName, draftName];
/** What folders are called until their record is in them, before the name of the process that makes it. */
const begunPrefix = ".begun-";
/** What they are called from when nothing but the record is left. */
const endedPrefix = ".ended-";

export type SandboxRecord = z.infer<typeof recordSchema>;

/**
 * Makes a sandbox's folder with its record, both at once, so that no folder is ever without one. Durable when it returns: it is written
 * before anything that it names is made.
 */
export async function beginRecord(folder: string, record: SandboxRecord): Promise<void> {
  const begun = join(dirname(folder), `${begunPrefix}${newRunName()}`);
  try {
    await mkdir(begun, { mode: 0o700 });
    await writeRecord(begun, record);
    await rename(begun, folder);
  } catch (thrown) {
    await rm(begun, { recursive: true, force: true });
    throw thrown;
  }
}

async function writeRecord(folder: string, record: SandboxRecord): Promise<void> {
  const draft = `${folder}/${draftName}`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(record));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, `${folder}/${recordName}`);
  const parent = await open(folder, "r");
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

/**
 * Writes what became known of a sandbox whose record there is. Outlives this server and need not outlive the machine, with which
 * everything ends that is new in it: so the disk is not waited for (two syncs for each of three changes of a claim).
 */
export async function updateRecord(folder: string, record: SandboxRecord): Promise<void> {
  const draft = `${folder}/${draftName}`;
  await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
  await rename(draft, `${folder}/${recordName}`);
}

/** Null when there is none, or the machine went down before it was on its disk; `unreadable` when something is there that this version cannot read. */
export async function readRecord(folder: string): Promise<SandboxRecord | "unreadable" | null> {
  let text: string;
  try {
    text = await readFile(`${folder}/${recordName}`, "utf8");
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return null;
    throw thrown;
  }
  if (text === "") return null;
  try {
    const read = recordSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : "unreadable";
  } catch {
    return "unreadable";
  }
}

export interface Records {
  readonly items: readonly SandboxRecord[];
  /** Folders whose record is no record. */
  readonly unreadable: number;
  /** Names of folders without a record: nothing was made yet. */
  readonly empty: readonly string[];
  /** Names of folders that servers which were killed had just begun, or had only the record left to remove of. */
  readonly ended: readonly string[];
}

/** Every record of a folder of sandboxes, or a rejection. */
export async function readRecords(sandboxes: string): Promise<Records> {
  const items: SandboxRecord[] = [];
  const empty: string[] = [];
  const ended: string[] = [];
  let unreadable = 0;
  for (const name of await readdir(sandboxes)) {
    if (name.startsWith(begunPrefix)) {
      if (isRunGone(name.slice(begunPrefix.length))) ended.push(name);
      continue;
    }
    if (name.startsWith(endedPrefix)) {
      ended.push(name);
      continue;
    }
    const record = await readRecord(`${sandboxes}/${name}`);
    if (record === null) empty.push(name);
    else if (record === "unreadable" || record.id !== name) unreadable++;
    else items.push(record);
  }
  return { items, unreadable, empty, ended };
}

/**
 * Last of all: while it is there, somebody can find what is left. The folder goes by its other name, so that one that is without its record
 * is never taken for one that is just being made. Idempotent.
 */
export async function removeRecord(folder: string): Promise<void> {
  const ended = join(dirname(folder), `${endedPrefix}${basename(folder)}`);
  try {
    await rename(folder, ended);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
  }
  await rm(ended, { recursive: true, force: true });
}
