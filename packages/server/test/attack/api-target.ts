import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { sandboxSystem } from "@berth/contract";
import { newKeyText } from "../../src/auth/server-keys.ts";
import { newId } from "../../src/lib/id.ts";
import type { Capabilities } from "../../src/sandbox/sandbox.ts";
import { type ApiReply, codeOf, type Door, send } from "../support/server/api.ts";
import { startServer } from "../support/server/server-process.ts";
import type { Ran, RemoteFiles, Target, Tenant, TenantWish } from "./target.ts";

const root = join(import.meta.dirname, "../../../..");
const main = join(root, "packages/server/src/main.ts");
const command = promisify(execFile);

export interface ApiTargetOptions {
  readonly name: string;
  readonly mode: "single" | "multi";
  /** The server's settings besides, for example BERTH_SANDBOX. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A real server in a process of its own, attacked over its public API by two organizations, or by two sessions in mode single. */
export async function openApiTarget({ name, mode, settings }: ApiTargetOptions): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "berth-attack-"));
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
  const server = await startServer({ root, dataDir, env, logFile: join(folder, "log") }).ready;
  const slugs = [`tenant-${newId("org").slice(-8)}`, `tenant-${newId("org").slice(-8)}`];
  const close = async () => {
    await server.end("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const admin: Door = { url: server.url, apiKey: keys.BERTH_ADMIN_KEY };
    const doors: Door[] = [];
    for (const slug of slugs) {
      const cli = { env: { PATH: env.PATH, BERTH_DATA: dataDir, ...keys } };
      const apiKey = mode === "multi" ? await organization(slug, cli) : keys.BERTH_ADMIN_KEY;
      doors.push({ url: server.url, apiKey });
    }
    const { sandbox } = asked(await send(admin, { method: "GET", path: "/system" })) as { sandbox: unknown };
    const told = sandboxSystem.safeParse(sandbox);
    if (!told.success)
      throw new Error("GET /system does not say what sandboxes can do, so nothing can be expected of them");
    return {
      name,
      caps: capabilitiesOf(told.data),
      tenant: (wish = {}) => makeTenant(doors[wish.org ?? 0] ?? admin, slugs[wish.org ?? 0] ?? "", wish),
      serverBytes: async () => {
        const status = await readFile(`/proc/${server.pid}/status`, "utf8");
        return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024;
      },
      secrets: [...Object.values(keys), ...slugs, ...doors.map(({ apiKey }) => apiKey)],
      outside: folder,
      async request(path, body) {
        const method = body === undefined ? "GET" : "POST";
        const { status, bytes } = await send(doors[0] ?? admin, { method, path, body });
        return { status, text: Buffer.from(bytes).toString() };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Makes an organization and the key of a program in it. */
async function organization(slug: string, options: { env: Record<string, string> }): Promise<string> {
  const berth = async (args: readonly string[]) =>
    (await command(process.execPath, [main, ...args], options)).stdout;
  await berth(["org", "create", slug, "--owner", `owner@${slug}.example`]);
  await berth(["service-account", "create", "robot", "--org", slug, "--role", "admin"]);
  const made = await berth(["key", "create", "--for", "robot", "--org", slug, "--json"]);
  return (JSON.parse(made) as { key: string }).key;
}

function capabilitiesOf(system: ReturnType<typeof sandboxSystem.parse>): Capabilities {
  const { capabilities, isolation, label, reasons, unavailable } = system;
  return {
    ...capabilities,
    isolation,
    label,
    reasons,
    ...(unavailable !== null && { unavailable }),
  } as Capabilities;
}

/** What a good reply says; rejects with the number and the words of any other. */
function asked(reply: ApiReply): unknown {
  if (reply.status >= 200 && reply.status < 300) return reply.json;
  throw new Error(`${reply.status} ${codeOf(reply)}: ${Buffer.from(reply.bytes).toString().slice(0, 300)}`);
}

async function makeTenant(door: Door, org: string, { memory, disk }: TenantWish): Promise<Tenant> {
  const call = async (method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> =>
    asked(await send(door, { method, path, body }));
  const name = `attacker-${newId("agent").slice(-12)}`;
  const sandbox = { ...(memory !== undefined && { memory }), ...(disk !== undefined && { disk }) };
  await call("POST", "/agents", { name, model: "demo/tour", sandbox });
  const session = (await call("POST", "/sessions", { agent: name })) as { id: string };
  const given = async () =>
    ((await call("POST", "/sandboxes", { sessionId: session.id })) as { id: string }).id;
  let sandboxId = await given();
  return {
    org,
    async run(text, { stdin, timeoutMs = 30_000 } = {}): Promise<Ran> {
      const body = { command: text, timeoutMs, ...(stdin !== undefined && { stdin }) };
      const path = () => `/sandboxes/${sandboxId}/exec`;
      const first = await send(door, { method: "POST", path: path(), body });
      if (!["sandbox_not_found", "sandbox_lost"].includes(codeOf(first))) return asked(first) as Ran;
      sandboxId = await given();
      return (await call("POST", path(), body)) as Ran;
    },
    files: apiFiles(door, session.id),
    end: async () => {
      await call("DELETE", `/sessions/${session.id}`);
    },
  };
}

function apiFiles(door: Door, sessionId: string): RemoteFiles {
  const base = `/sessions/${sessionId}`;
  const at = (path: string) => `${base}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
  const query = (values: Readonly<Record<string, string>>) => new URLSearchParams(values).toString();
  const get = async (path: string) => await send(door, { method: "GET", path });
  const paths = (json: unknown) => (json as { items: { path: string }[] }).items.map((item) => item.path);
  return {
    async read(path) {
      const reply = await get(at(path));
      asked(reply);
      return Buffer.from(reply.bytes).toString();
    },
    write: async (path, text) => {
      asked(await send(door, { method: "PUT", path: at(path), bytes: new Uint8Array(Buffer.from(text)) }));
    },
    list: async (path) => paths(asked(await get(`${base}/files?${query({ path })}`))),
    move: async (path, to) => {
      asked(await send(door, { method: "POST", path: `${base}/files/move`, body: { path, to } }));
    },
    remove: async (path) => {
      asked(await send(door, { method: "DELETE", path: at(path) }));
    },
    glob: async (pattern, path) =>
      (asked(await get(`${base}/search/files?${query({ pattern, path })}`)) as { items: string[] }).items,
    grep: async (pattern, path) =>
      (
        asked(await get(`${base}/search/text?${query({ pattern, path })}`)) as { items: { text: string }[] }
      ).items.map(({ text }) => text),
  };
}
