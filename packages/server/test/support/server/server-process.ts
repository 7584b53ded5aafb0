import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { interrupted } from "../interruption/interruption.ts";
import { inOwnGroup, ownProcess } from "../interruption/own-process.ts";

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerOptions {
  /** The folder that holds `packages/`. */
  readonly root: string;
  /** What to start with the arguments of `berth`. Default: the sources. */
  readonly command?: readonly [string, ...string[]];
  readonly dataDir: string;
  /** All that the server sees of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What it writes to standard error is added to this file. */
  readonly logFile: string;
  /** Milliseconds until it has to be ready. */
  readonly startMs?: number;
  /** The user and group that it runs as. */
  readonly uid?: number;
}

/** A server that listens, in a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  readonly exited: Promise<Exit>;
  /** Sends a signal and resolves when the process has ended. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<Exit>;
}

/** A server that has been started and may not be ready yet. */
export interface StartingServer {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly ready: Promise<ServerProcess>;
  end(signal: "SIGKILL" | "SIGTERM"): Promise<Exit>;
}

/** It ended, or said nothing, before it was ready. */
export class StartError extends Error {
  readonly exit: Exit | null;

  constructor(message: string, exit: Exit | null) {
    super(message);
    this.name = "StartError";
    this.exit = exit;
  }
}

const readyLine = /^Berth is ready at (https?:\/\/\S+)$/m;

/**
 * Starts `berth serve` on a free port, as a user would: the real program in a process of its own. In an interrupted command it throws,
 * and nobody is told any more how a server ended: its owner ends it.
 */
export function startServer(options: ServerOptions): StartingServer {
  interrupted.throwIfAborted();
  const { root, dataDir, env, logFile, startMs = 30_000, uid } = options;
  const log = openSync(logFile, "a");
  const sources = [process.execPath, join(root, "packages/server/src/main.ts")] as const;
  const [program, ...first] = options.command ?? sources;
  const child = spawn(program, [...first, "serve", "--port", "0", "--data", dataDir], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", log],
    ...(uid !== undefined && { uid, gid: uid }),
    ...inOwnGroup(),
  });
  closeSync(log);
  ownProcess(child, { stage: "servers" });
  const exited = new Promise<Exit>((resolve) => {
    child.once("error", () => resolve({ code: -1, signal: null }));
    child.once("close", (code, signal) => {
      if (!interrupted.aborted) resolve({ code, signal });
    });
  });
  const pid = child.pid ?? -1;
  const end = (signal: "SIGKILL" | "SIGTERM") => {
    if (!interrupted.aborted) child.kill(signal);
    return exited;
  };
  const address = untilReady(child, { exited, startMs, logFile });
  const ready = address.then((url) => ({ pid, url, exited, end }));
  // Whoever ends a starting server may not care that it never was ready.
  ready.catch(() => undefined);
  return { pid, exited, ready, end };
}

function untilReady(
  child: ChildProcess,
  { exited, startMs, logFile }: { exited: Promise<Exit>; startMs: number; logFile: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    let written = "";
    const late = setTimeout(() => {
      reject(new StartError(`the server was not ready after ${startMs} ms: ${lastLines(logFile)}`, null));
      child.kill("SIGKILL");
    }, startMs);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      written += text;
      const url = readyLine.exec(written)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
    void exited.then((exit) => {
      clearTimeout(late);
      reject(new StartError(`the server ended before it was ready: ${lastLines(logFile)}`, exit));
    });
  });
}

/** The end of a log, to say why. */
export function lastLines(logFile: string, lines = 12): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}
