import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { type AgentDefinitionInput, type BerthClient, createClient } from "@berth/client";
import { afterEach } from "vitest";
import { runCli } from "../../../src/cli/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { type Program, startProgram } from "../../../src/roles/program.ts";
import { freePort } from "../network/free-port.ts";
import { createTestTerminal, type TestTerminal } from "../test-terminal.ts";

export const scriptModel = "scripted/script";
const apiKey = "brt_the-admin-key-of-this-test";

const serverEnv = {
  BERTH_PROVIDERS: JSON.stringify([{ name: "scripted", kind: "scripted" }]),
  BERTH_ADMIN_KEY: apiKey,
  BERTH_OLLAMA_DISCOVERY: "false",
};

/** A whole server in this process, with the scripted model, and the command line against it. */
export interface CliRig {
  readonly client: BerthClient;
  readonly url: string;
  readonly data: string;
  agent(definition?: Partial<AgentDefinitionInput>): Promise<void>;
  /** Runs a command to its end, without a terminal. */
  berth(...args: string[]): Promise<{ code: number; out: string; err: string }>;
  /** The same in a process of its own, which lives no longer than something keeps it alive. */
  alone(...args: string[]): Promise<SpawnedEnd>;
  /** The same with something on standard input. */
  piped(input: string, ...args: string[]): Promise<{ code: number; out: string; err: string }>;
  /** Starts a command at a terminal. */
  at(...args: string[]): { readonly terminal: TestTerminal; readonly ended: Promise<number> };
}

/** A message that tells the scripted model what to do: one entry for each time that it is called. */
export function script(...turns: readonly unknown[]): string {
  return JSON.stringify({ script: turns });
}

async function start(data: string): Promise<Program> {
  const flags = { data, port: "0", logLevel: "silent", drainTimeout: "0" };
  return await startProgram(loadConfig({ flags, env: serverEnv, cwd: data }));
}

/** A server in a process of its own that can be killed and started again at the same place. */
export interface MortalServer extends AsyncDisposable {
  readonly client: BerthClient;
  kill(): Promise<void>;
  start(): Promise<void>;
  at(...args: string[]): { readonly terminal: TestTerminal; readonly ended: Promise<number> };
}

export async function startMortalServer(): Promise<MortalServer> {
  const data = await mkdtemp(join(tmpdir(), "berth-cli-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const main = join(import.meta.dirname, "../../../src/main.ts");
  let child: ChildProcess | null = null;
  const kill = async () => {
    const dying = child;
    child = null;
    if (dying === null) return;
    dying.kill("SIGKILL");
    await once(dying, "close");
  };
  const begin = async () => {
    const args = [main, "serve", "--port", String(port), "--data", data, "--log-level", "silent"];
    const started = spawn(process.execPath, args, { env: serverEnv, stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    const ready = new Promise<boolean>((resolve) => {
      started.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (text.includes("Berth is ready")) resolve(true);
      });
      started.once("close", () => resolve(false));
    });
    if (await ready) return;
    throw new Error("the server ended before it was ready");
  };
  await begin();
  return {
    client: createClient({ baseUrl: url, apiKey }),
    kill,
    start: begin,
    at: (...args) => startAtTerminal([...args, "--url", url, "--data", data]),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(data, { recursive: true, force: true });
    },
  };
}

function startAtTerminal(args: readonly string[]): { terminal: TestTerminal; ended: Promise<number> } {
  const terminal = createTestTerminal({ isTTY: true, env: { BERTH_API_KEY: apiKey } });
  return { terminal, ended: runCli(args, terminal.io) };
}

interface SpawnedEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function runAlone(args: readonly string[]): Promise<SpawnedEnd> {
  const main = join(import.meta.dirname, "../../../src/main.ts");
  const env = { BERTH_API_KEY: apiKey, NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, out, err };
}

/** Starts a rig for a test and ends it after it. */
export function useCliRig(): () => Promise<CliRig> {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  });
  return async () => {
    const data = await mkdtemp(join(tmpdir(), "berth-cli-"));
    ends.push(() => rm(data, { recursive: true, force: true }));
    const program = await start(data);
    ends.push(() => program.stop());
    const { url } = program;
    const client = createClient({ baseUrl: url, apiKey });
    const globals = ["--url", url, "--data", data];
    const env = { BERTH_API_KEY: apiKey };
    return {
      client,
      url,
      data,
      async agent(definition = {}) {
        await client.agents.create({
          name: "tester",
          model: scriptModel,
          permissions: { mode: "auto" },
          ...definition,
        });
      },
      async berth(...args) {
        const terminal = createTestTerminal({ env });
        const code = await runCli([...args, ...globals], terminal.io);
        return { code, out: terminal.out(), err: terminal.err() };
      },
      alone: (...args) => runAlone([...args, ...globals]),
      async piped(input, ...args) {
        const terminal = createTestTerminal({ env, input });
        const code = await runCli([...args, ...globals], terminal.io);
        return { code, out: terminal.out(), err: terminal.err() };
      },
      at(...args) {
        return startAtTerminal([...args, ...globals]);
      },
    };
  };
}
