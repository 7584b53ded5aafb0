// The peers of the turn benches: their servers in bench/peers, each with a lockfile of its own, installed when they are asked for.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { startChild } from "../child.ts";
import { type Contender, type PeerName, peerNames, type Shape } from "./contender.ts";
import { type Ask, question, requests } from "./direct.ts";

const folder = join(import.meta.dirname, "../../peers");

/** A peer that took no part, and why. */
export interface Missing {
  readonly name: PeerName;
  readonly reason: string;
}

export interface Peers {
  readonly contenders: readonly Contender[];
  readonly missing: readonly Missing[];
}

interface PeerOptions {
  readonly modelUrl: string;
  /** A folder that goes with the bench: where peers put what they write. */
  readonly files: string;
}

/** Exact versions of what a peer was asked to be, from its package.json. */
export function versionsOf(name: PeerName): Readonly<Record<string, string>> {
  const own = JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  return own.dependencies;
}

/** Installs and starts every peer; those that cannot be had are named with the reason. */
export async function startPeers({ modelUrl, files }: PeerOptions): Promise<Peers> {
  const contenders: Contender[] = [];
  const missing: Missing[] = [];
  for (const name of peerNames) {
    try {
      install(name);
      contenders.push(await start(name, { modelUrl, files }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      console.error(`${name} takes no part: ${reason}`);
      missing.push({ name, reason });
    }
  }
  return { contenders, missing };
}

function install(name: PeerName): void {
  const own = join(folder, name);
  const installed = join(own, "node_modules/.package-lock.json");
  const lock = join(own, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error(`installing ${name} with npm ci in bench/peers/${name} (node_modules there, no scripts)`);
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stderr, error } = spawnSync("npm", args, { cwd: own, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ci failed: ${(error?.message ?? stderr).trim().slice(-500)}`);
}

async function start(name: PeerName, { modelUrl, files }: PeerOptions): Promise<Contender> {
  const child = await startChild(join(folder, name, "server.mjs"), [modelUrl], {
    execArgv: ["--import", join(folder, "loopback-only.mjs")],
    env: environment(files),
    quiet: true,
  });
  const agent = new Agent({ keepAlive: true });
  const base = `http://127.0.0.1:${child.port}`;
  const ask = (shape: Shape) => asks[name](shape, base);
  process.kill(child.pid, "SIGSTOP");
  const stop = async () => {
    process.kill(child.pid, "SIGCONT");
    await child.stop();
  };
  // LangGraph's workers look for runs all the time, at the cost of everybody else: peers stand still but while they are measured.
  const awake = async <T>(work: () => Promise<T>): Promise<T> => {
    process.kill(child.pid, "SIGCONT");
    try {
      return await work();
    } finally {
      // A connection would time out on the side that stands still, and be used on the other.
      agent.destroy();
      process.kill(child.pid, "SIGSTOP");
    }
  };
  return { ...requests({ name, pid: child.pid, base, agent, ask, stop }), awake };
}

/** As in production, and told not to tell anybody: that they could not is the work of loopback-only.mjs. */
function environment(files: string): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    TMPDIR: files,
    NODE_ENV: "production",
    LOG_LEVEL: "error",
    DO_NOT_TRACK: "1",
    MASTRA_TELEMETRY_DISABLED: "1",
    MASTRA_OFFLINE: "1",
    LANGSMITH_TRACING: "false",
    LANGCHAIN_TRACING_V2: "false",
  };
}

const messages = [{ role: "user", content: question }];

/** One place of each peer. LangGraph's is a thread, which keeps its conversation; the others store nothing. */
const asks: Readonly<Record<PeerName, (shape: Shape, base: string) => Ask | Promise<Ask>>> = {
  "ai-sdk": (shape) => ({ path: `/chat/${shape}`, body: { messages } }),
  mastra: (shape) => ({ path: `/api/agents/${shape}/stream`, body: { messages } }),
  async langgraph(shape, base) {
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${base}/threads`, { method: "POST", headers, body: "{}" });
    const thread = ((await made.json()) as { thread_id: string }).thread_id;
    const body = { assistant_id: shape, input: { messages }, stream_mode: ["messages-tuple"] };
    return { path: `/threads/${thread}/runs/stream`, body };
  },
};
