import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { interrupted } from "../interruption/interruption.ts";
import { inOwnGroup, ownProcess } from "../interruption/own-process.ts";

/** `berth sandbox-host` in a process of its own. */
export interface HostProcess {
  readonly pid: number;
  readonly url: string;
  /** What it has written so far, to both outputs. */
  written(): string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

const root = join(import.meta.dirname, "../../../../..");
const ready = /ready at (https?:\/\/\S+)/;
const startMs = 30_000;

/** Starts one on a free port and resolves when it listens. In an interrupted command nobody is told how it ended: its owner ends it. */
export async function startHostProcess(
  args: readonly string[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<HostProcess> {
  interrupted.throwIfAborted();
  const main = join(root, "packages/server/src/main.ts");
  const child: ChildProcess = spawn(process.execPath, [main, "sandbox-host", "--port", "0", ...args], {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...inOwnGroup(),
  });
  ownProcess(child, { stage: "hosts", askAgain: true });
  let written = "";
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("close", (code, signal) => {
      if (!interrupted.aborted) resolve({ code, signal });
    });
  });
  const url = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => child.kill("SIGKILL"), startMs);
    const take = (text: string) => {
      written += text;
      const found = ready.exec(written)?.[1];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    };
    child.stdout?.setEncoding("utf8").on("data", take);
    child.stderr?.setEncoding("utf8").on("data", take);
    void exited.then(() => {
      clearTimeout(late);
      reject(new Error(`the sandbox host ended before it was ready: ${written}`));
    });
  });
  return {
    pid: child.pid ?? -1,
    url,
    written: () => written,
    exited,
    async end(signal) {
      if (!interrupted.aborted) child.kill(signal);
      await exited;
    },
  };
}
