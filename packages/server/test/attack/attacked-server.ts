import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { newKeyText } from "../../src/auth/server-keys.ts";
import { newId } from "../../src/lib/id.ts";
import type { Door } from "../support/server/api.ts";
import { interrupted } from "../support/interruption/interruption.ts";
import { ownFolder } from "../support/interruption/own-folder.ts";
import { startServer } from "../support/server/server-process.ts";

const root = join(import.meta.dirname, "../../../..");
const main = join(root, "packages/server/src/main.ts");
const command = promisify(execFile);

export interface ServerOptions {
  readonly mode: "single" | "multi";
  /** The server's settings besides, for example BERTH_SANDBOX. */
  readonly settings: Readonly<Record<string, string>>;
  /** The user that it runs as; default: this one. */
  readonly uid?: number;
  /** Done to its data folder before it starts. */
  readonly prepare?: (dataDir: string) => Promise<void>;
}

/** A real server in a process of its own, with two organizations, or in mode single the one that there is twice. */
export interface AttackedServer {
  readonly admin: Door;
  readonly doors: readonly [Door, Door];
  /** What the organizations are called. */
  readonly slugs: readonly [string, string];
  /** What nobody may find. */
  readonly secrets: readonly string[];
  readonly folder: string;
  /** Bytes of memory that it holds. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

export async function openAttackedServer({
  mode,
  settings,
  uid,
  prepare,
}: ServerOptions): Promise<AttackedServer> {
  const folder = await mkdtemp(join(tmpdir(), "berth-attack-"));
  const { remove } = ownFolder(folder);
  const dataDir = join(folder, "data");
  const keys = {
    BERTH_ADMIN_KEY: newKeyText(),
    BERTH_MASTER_KEY: newKeyText(),
    BERTH_KEY_PEPPER: newKeyText(),
    BERTH_AUDIT_KEY: newKeyText(),
  };
  const env = {
    ...keys,
    PATH: process.env["PATH"] ?? "",
    BERTH_MODE: mode,
    BERTH_OLLAMA_DISCOVERY: "false",
    // An attack is many requests, and how many is not what is attacked here.
    BERTH_RATE_LIMITS: "false",
    BERTH_SANDBOXES_PER_USER: "50",
    ...settings,
  };
  try {
    await mkdir(dataDir);
    await prepare?.(dataDir);
    if (uid !== undefined) for (const path of [folder, dataDir]) await chown(path, uid, uid);
    const as = uid === undefined ? {} : { uid };
    const server = await startServer({ root, dataDir, env, logFile: join(folder, "log"), ...as }).ready;
    const close = async () => {
      await server.end("SIGTERM");
      await remove();
    };
    const slugs = [newSlug(), newSlug()] as const;
    const open = async (slug: string): Promise<Door> => {
      const cli = { env: { PATH: env.PATH, BERTH_DATA: dataDir, ...keys }, ...as };
      const apiKey = mode === "multi" ? await organization(slug, cli) : keys.BERTH_ADMIN_KEY;
      return { url: server.url, apiKey };
    };
    try {
      const doors = [await open(slugs[0]), await open(slugs[1])] as const;
      return {
        admin: { url: server.url, apiKey: keys.BERTH_ADMIN_KEY },
        doors,
        slugs,
        secrets: [...Object.values(keys), ...slugs, ...doors.map(({ apiKey }) => apiKey)],
        folder,
        async bytes() {
          const status = await readFile(`/proc/${server.pid}/status`, "utf8");
          return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024;
        },
        close,
      };
    } catch (error) {
      await server.end("SIGTERM");
      throw error;
    }
  } catch (error) {
    await remove();
    throw error;
  }
}

const newSlug = () => `tenant-${newId("org").slice(-8)}`;

/** Makes an organization and the key of a program in it. */
async function organization(
  slug: string,
  options: { readonly env: Readonly<Record<string, string>>; readonly uid?: number },
): Promise<string> {
  const berth = async (args: readonly string[]) =>
    (await command(process.execPath, [main, ...args], { ...options, signal: interrupted })).stdout;
  await berth(["org", "create", slug, "--owner", `owner@${slug}.example`]);
  await berth(["service-account", "create", "robot", "--org", slug, "--role", "admin"]);
  const made = await berth(["key", "create", "--for", "robot", "--org", slug, "--json"]);
  return (JSON.parse(made) as { key: string }).key;
}
