import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import { z } from "zod";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { bubblewrapArguments, encodeArguments, type SandboxPlan } from "./arguments.ts";
import { identify, type ProcessIdentity } from "./process-identity.ts";

/** Programs of this machine that every start needs. */
export interface LaunchPrograms {
  readonly bwrap: string;
  readonly prlimit: string;
  /** Closes what the server inherited; bash, because other shells close only the first ten. */
  readonly bash: string;
  readonly inherited: readonly number[];
}

export interface LaunchOptions {
  readonly programs: LaunchPrograms;
  readonly plan: Omit<SandboxPlan, "seccomp" | "info" | "block">;
  readonly seccomp: Buffer;
  readonly command: readonly string[];
  readonly openFiles: number;
  readonly fileBytes: number;
  /** The host's user that it runs as; null: the server's own. */
  readonly uid: number | null;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** A sandbox that is set up and waits to be let go. */
export interface Launched {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** bubblewrap outside, and the first process inside. */
  readonly processes: readonly ProcessIdentity[];
  readonly first: ProcessIdentity;
  /** Lets the command start. */
  go(): void;
  /** Ends it with everything in it. */
  kill(): void;
  /** Settles when bubblewrap has ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  /** The end of what was written to its standard error: untrusted. */
  errors(): string;
}

const descriptors = { arguments: 3, seccomp: 4, info: 5, block: 6 } as const;
const patienceMs = 10_000;
const keptErrors = 2_000;
const infoSchema = z.object({ "child-pid": z.int().positive() });

/**
 * Starts bubblewrap up to where the sandbox exists and its command does not run yet, so that limits are put on it first.
 * Rejects with `sandbox_unavailable` when bubblewrap cannot make it.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { plan, uid, clock, signal } = options;
  signal?.throwIfAborted();
  const [file, ...rest] = commandLine(options);
  const child = spawn(file as string, rest, {
    // bubblewrap's own environment and arguments can be read from inside.
    env: {},
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe", "pipe", "pipe"],
    ...(uid !== null && { uid, gid: uid }),
  });
  const watch = watchEnd(child);
  const pipeOf = (descriptor: number) => child.stdio[descriptor] as Duplex;
  for (const descriptor of Object.values(descriptors)) pipeOf(descriptor)?.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  const abort = () => void child.kill("SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  const timer = clock.after(patienceMs, abort);
  try {
    const list = bubblewrapArguments({ ...plan, ...descriptors });
    pipeOf(descriptors.arguments).end(encodeArguments(list));
    pipeOf(descriptors.seccomp).end(options.seccomp);
    const first = await readFirst(pipeOf(descriptors.info), watch);
    const outer = child.pid === undefined ? null : identify(child.pid);
    if (child.stdin === null || child.stdout === null || outer === null) throw await watch.failure();
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      processes: [outer, first],
      first,
      go: () => void pipeOf(descriptors.block).end("g"),
      kill: () => void child.kill("SIGKILL"),
      ended: watch.ended,
      errors: () => watch.errors(),
    };
  } catch (thrown) {
    child.kill("SIGKILL");
    await watch.ended;
    child.stdout?.destroy();
    signal?.throwIfAborted();
    throw thrown;
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", abort);
  }
}

function commandLine({ programs, command, openFiles, fileBytes }: LaunchOptions): string[] {
  const closing = programs.inherited.map((descriptor) => `${descriptor}>&-`).join(" ");
  return [
    closing === "" ? [] : [programs.bash, "-c", `exec "$@" ${closing}`, "bash"],
    [programs.prlimit, "--core=0:0"],
    [`--nofile=${openFiles}:${openFiles}`, `--fsize=${fileBytes}:${fileBytes}`],
    [programs.bwrap, "--args", String(descriptors.arguments), "--", ...command],
  ].flat();
}

interface Watch {
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  errors(): string;
  /** Why it ended before it was set up. */
  failure(): Promise<BerthError>;
}

function watchEnd(child: ChildProcess): Watch {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-keptErrors);
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("error", (error) => {
      said = `${said}${error.message}`;
      resolve({ code: null, signal: null });
    });
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const silent = new Promise<void>((resolve) => {
    if (child.stderr === null || child.stderr.closed) resolve();
    else child.stderr.once("close", resolve);
  });
  async function failure(): Promise<BerthError> {
    await Promise.all([ended, silent]);
    return new BerthError(
      "sandbox_unavailable",
      "The sandbox could not be started; `berth doctor` says what this machine lacks.",
      { cause: new Error(said.trim() || "bubblewrap ended without a word") },
    );
  }
  return { ended, errors: () => said, failure };
}

/** Of what bubblewrap tells of the sandbox, the first process in it. */
async function readFirst(info: Readable, watch: Watch): Promise<ProcessIdentity> {
  let text = "";
  const told = (async () => {
    for await (const chunk of info.setEncoding("utf8")) text += String(chunk);
  })().catch(() => undefined);
  await told;
  const first = text.trim() === "" ? null : identify(infoSchema.parse(JSON.parse(text))["child-pid"]);
  if (first === null) throw await watch.failure();
  return first;
}
