import { access, constants, readFile, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import type { LoadedConfig } from "../../config/load.ts";
import { type Holder, readHolder } from "../lock-holder.ts";
import type { Finding } from "./finding.ts";

/** Node, the data folder and its lock, the key, the port, room and time. */
export async function checkMachine(
  { config }: LoadedConfig,
  reachable: boolean,
): Promise<readonly Finding[]> {
  const { data, host, port } = config;
  const holder = await readHolder(data);
  return [
    checkNode(process.versions.node),
    ...(await checkFolder(data, holder)),
    await checkKey(data, config.adminKey !== null),
    ...(reachable ? [] : [await checkPort({ host, port, holder })]),
    await checkDisk(data),
    await checkClock(data),
  ];
}

/** As `engines` in package.json says: 24.7 or newer. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const good = major > 24 || (major === 24 && minor >= 7);
  if (good) return { name: "node", status: "ok", detail: version };
  return {
    name: "node",
    status: "fail",
    detail: `${version} is too old`,
    fix: "Use Node 24: npm start brings its own.",
  };
}

async function checkFolder(data: string, holder: Holder | null): Promise<readonly Finding[]> {
  const name = "data folder";
  const found = await stat(data).catch(() => null);
  if (found === null)
    return [{ name, status: "ok", detail: `${data} does not exist yet; the first start makes it` }];
  if (!found.isDirectory())
    return [{ name, status: "fail", detail: `${data} is no folder`, fix: "Name another with --data." }];
  const usable = await access(data, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!usable)
    return [
      { name, status: "fail", detail: `${data} cannot be written`, fix: "Let the server's user own it." },
    ];
  return [{ name, status: "ok", detail: data }, await checkLock(data, holder)];
}

async function checkLock(data: string, holder: Holder | null): Promise<Finding> {
  const name = "lock";
  const text = await readFile(join(data, "berth.lock.json"), "utf8").catch(() => null);
  if (text === null) return { name, status: "ok", detail: "no server holds the data folder" };
  if (holder !== null) {
    const { pid, url } = holder;
    return { name, status: "ok", detail: `held by process ${pid}${url === null ? "" : ` at ${url}`}` };
  }
  return {
    name,
    status: "ok",
    detail: "left by a server that ended without a word; the next start takes over",
  };
}

async function checkKey(data: string, preset: boolean): Promise<Finding> {
  const name = "admin key";
  if (preset) return { name, status: "ok", detail: "from BERTH_ADMIN_KEY" };
  const path = join(data, "admin.key");
  const found = await stat(path).catch(() => null);
  if (found === null) return { name, status: "ok", detail: "none yet; the first start makes one" };
  const mode = (found.mode & 0o777).toString(8);
  if ((found.mode & 0o077) === 0) return { name, status: "ok", detail: `${path} (mode ${mode})` };
  const fix = `chmod 600 ${path}, or delete it and start again for a new key when somebody may have read it.`;
  return { name, status: "fail", detail: `other users can read ${path} (mode ${mode})`, fix };
}

interface Listening {
  readonly host: string;
  readonly port: number;
  readonly holder: Holder | null;
}

async function checkPort({ host, port, holder }: Listening): Promise<Finding> {
  const name = "port";
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
    return { name, status: "ok", detail: `${host}:${port} is free` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "EADDRINUSE" && holder !== null && holder.url !== null && portOf(holder.url) === port)
      return { name, status: "ok", detail: `${host}:${port} is held by that server` };
    const detail =
      code === "EADDRINUSE"
        ? `another program has ${host}:${port}`
        : `${host}:${port} cannot be used (${code})`;
    return { name, status: "fail", detail, fix: "Choose another with --port." };
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

const tightBytes = 1024 ** 3;
const tooTightBytes = 100 * 1024 ** 2;

async function checkDisk(data: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestFolder(data));
  return judgeDisk(bavail * bsize);
}

export function judgeDisk(free: number): Finding {
  const name = "disk";
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  const fix = "Make room, or name a folder on another disk with --data.";
  if (free < tooTightBytes) return { name, status: "fail", detail, fix };
  return free < tightBytes ? { name, status: "warn", detail, fix } : { name, status: "ok", detail };
}

async function nearestFolder(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists || dirname(path) === path ? path : nearestFolder(dirname(path));
}

/** How far ahead of the clock a file may be, milliseconds. */
const toleratedMs = 60_000;

/** A database from the future means a clock that went back, and timers that will be late. */
async function checkClock(data: string): Promise<Finding> {
  const name = "clock";
  const database = await stat(join(data, "berth.db")).catch(() => null);
  const detail = new Date().toISOString();
  if (database === null || database.mtimeMs <= Date.now() + toleratedMs)
    return { name, status: "ok", detail };
  const written = new Date(database.mtimeMs).toISOString();
  return {
    name,
    status: "warn",
    detail: `${detail}, but the data is of ${written}`,
    fix: "Set the clock; let NTP keep it.",
  };
}
