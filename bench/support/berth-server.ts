import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unlessInterrupted } from "../../packages/server/test/support/interruption/interruption.ts";
import { inOwnGroup, ownProcess } from "../../packages/server/test/support/interruption/own-process.ts";
import { pidOf } from "./child.ts";

const ownCheckout = join(import.meta.dirname, "../..");

export interface BerthServer {
  readonly pid: number;
  readonly url: string;
  readonly adminKey: string;
  /** From spawning the process until it said that it is ready. Milliseconds. */
  readonly readyMs: number;
  stop(): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

export interface BerthOptions {
  /** The data folder; it is made when it is missing. */
  readonly data: string;
  /** Entries of `berth.config.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Another checkout whose server it is; default: this one. */
  readonly checkout?: string;
  /** Options of node itself, such as --cpu-prof. */
  readonly execArgv?: readonly string[];
  /** Added to this process's environment, of which what would change the server is left out. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `berth serve` in a process of its own with a data folder of its own; its log lines go to a file there. */
export async function startBerth({
  data,
  checkout = ownCheckout,
  config = {},
  execArgv = [],
  env = {},
}: BerthOptions): Promise<BerthServer> {
  await unlessInterrupted();
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "berth.config.json"), JSON.stringify(config), { mode: 0o600 });
  const log = openSync(join(data, "log.jsonl"), "a");
  const began = performance.now();
  // As users do: it is a build of the sources, made by the first start.
  const child = spawn(join(checkout, "berth"), ["serve", "--port", "0", "--data", data], {
    stdio: ["ignore", "pipe", log],
    env: { ...plainEnvironment(), ...(execArgv.length > 0 && { NODE_OPTIONS: execArgv.join(" ") }), ...env },
    ...inOwnGroup(),
  });
  closeSync(log);
  ownProcess(child, { stage: "servers" });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const found = /ready at (\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("error", reject);
    child.once("exit", () => {
      reject(new Error(`berth serve ended: ${said}${readFileSync(join(data, "log.jsonl"), "utf8")}`));
    });
  });
  const readyMs = performance.now() - began;
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    await unlessInterrupted();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
    await unlessInterrupted();
  };
  return {
    pid: pidOf(child),
    url,
    adminKey: readFileSync(join(data, "admin.key"), "utf8").trim(),
    readyMs,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** Keys and settings of whoever runs the bench are not the bench's. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^BERTH_|_API_KEY$|_BASE_URL$|^OLLAMA_/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), BERTH_OLLAMA_DISCOVERY: "false" };
}
