import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { BerthError } from "../../../src/lib/errors.ts";
import type {
  BackgroundProcess,
  EndReason,
  ExecResult,
  ExecSpec,
  ProcessEvent,
  ProcessSpec,
  Sandbox,
  SandboxFiles,
  SandboxMetrics,
} from "../../../src/sandbox/sandbox.ts";

interface Running {
  readonly child: ChildProcess;
  readonly chunks: Buffer[];
  readonly command: string;
  readonly startedAt: number;
  end: { code: number | null; signal: string | null; reason: EndReason } | null;
  readonly waiting: Set<() => void>;
}

/** A sandbox that is none: plain processes in a folder, terminals by `script`, ports of this machine. It keeps all output. */
export class PlainSandbox implements Sandbox {
  readonly id: string;
  readonly files = {} as SandboxFiles;
  /** What was asked of terminals' sizes. */
  readonly sizes: { readonly columns: number; readonly rows: number }[] = [];
  /** Ports of this machine that are its own. */
  readonly ownPorts = new Set<number>();
  readonly #folder: string;
  readonly #processes = new Map<string, Running>();
  #next = 1;

  constructor(id: string, folder: string) {
    this.id = id;
    this.#folder = folder;
  }

  /** Processes that have not ended. */
  get running(): number {
    return [...this.#processes.values()].filter(({ end }) => end === null).length;
  }

  async exec(spec: ExecSpec): Promise<ExecResult> {
    const begun = performance.now();
    const running = this.#found(this.#start(spec));
    const { child, chunks } = running;
    child.stdin?.end(spec.stdin ?? "");
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => spec.onOutput?.(chunk.toString()));
    const stop = (reason: EndReason) => {
      running.end = { code: null, signal: "SIGKILL", reason };
      kill(child);
    };
    const timer = setTimeout(() => stop("timeout"), spec.timeoutMs);
    const abort = () => stop("killed");
    spec.signal?.addEventListener("abort", abort, { once: true });
    await once(child, "close");
    clearTimeout(timer);
    spec.signal?.removeEventListener("abort", abort);
    const output = Buffer.concat(chunks);
    const kept = output.subarray(0, spec.maxOutputBytes ?? 1_048_576);
    return {
      ...(running.end ?? { code: null, signal: null, reason: "lost" }),
      output: kept.toString(),
      outputBytes: output.length,
      truncated: kept.length < output.length,
      durationMs: performance.now() - begun,
    };
  }

  async spawn(spec: ProcessSpec): Promise<BackgroundProcess> {
    const id = this.#start(spec);
    if (spec.input !== true && spec.pty === undefined) this.#found(id).child.stdin?.end();
    return view(id, this.#found(id));
  }

  async processes(): Promise<readonly BackgroundProcess[]> {
    return [...this.#processes].map(([id, running]) => view(id, running));
  }

  async logs(id: string, offset = 0) {
    const running = this.#processes.get(id);
    if (running === undefined) return null;
    const all = Buffer.concat(running.chunks);
    return { text: all.subarray(offset).toString(), nextOffset: all.length, process: view(id, running) };
  }

  async *attach(
    id: string,
    { from = 0, signal }: { from?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<ProcessEvent> {
    const running = this.#found(id);
    const over = () => signal?.aborted === true;
    for (let offset = from; !over();) {
      const data = Buffer.concat(running.chunks).subarray(offset);
      if (data.length > 0) yield { type: "output", stream: "stdout", offset, data };
      offset += data.length;
      if (Buffer.concat(running.chunks).length > offset) continue;
      if (running.end !== null) return yield { type: "end", ...running.end };
      await new Promise<void>((resolve) => {
        const wake = () => {
          running.waiting.delete(wake);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        running.waiting.add(wake);
        signal?.addEventListener("abort", wake, { once: true });
      });
    }
  }

  async write(id: string, data: Uint8Array | null): Promise<void> {
    const { child } = this.#found(id);
    if (data === null) child.stdin?.end();
    else child.stdin?.write(data);
  }

  async resize(id: string, size: { columns: number; rows: number }): Promise<void> {
    this.#found(id);
    this.sizes.push(size);
  }

  async kill(id: string): Promise<boolean> {
    const running = this.#processes.get(id);
    if (running === undefined) return false;
    if (running.end === null) kill(running.child);
    return true;
  }

  async listening(): Promise<readonly number[]> {
    return [...this.ownPorts];
  }

  async openPort(port: number): Promise<Duplex> {
    if (!this.ownPorts.has(port))
      throw new BerthError("port_refused", `Nothing listens on the port ${port} of the sandbox.`);
    const socket = connect({ port, host: "127.0.0.1" });
    await once(socket, "connect");
    return socket;
  }

  async metrics(): Promise<SandboxMetrics> {
    const unknown = { memoryPeakBytes: null, diskBytes: null };
    return { ...unknown, memoryBytes: 1_048_576, cpuMs: 12, pids: this.running, oomKills: 0 };
  }

  async health() {
    return { ok: true };
  }

  async close(): Promise<void> {
    const children = [...this.#processes.values()].flatMap(({ end, child }) => (end === null ? [child] : []));
    for (const child of children) kill(child);
    await Promise.all(children.map((child) => once(child, "close")));
  }

  #start({
    command,
    cwd = ".",
    environment,
    pty,
  }: Pick<ProcessSpec, "command" | "cwd" | "environment" | "pty">) {
    const typed = pty && `stty cols ${pty.columns} rows ${pty.rows}; ${command}`;
    const [file, ...args] =
      typed === undefined ? ["bash", "-c", command] : ["script", "-qefc", typed, "/dev/null"];
    const child = spawn(file ?? "", args, {
      cwd: `${this.#folder}/${cwd}`,
      env: { PATH: process.env["PATH"] ?? "", HOME: this.#folder, SHELL: "/bin/bash", ...environment },
      detached: true,
    });
    const running: Running = {
      child,
      chunks: [],
      command,
      startedAt: Date.now(),
      end: null,
      waiting: new Set(),
    };
    const wake = () => running.waiting.forEach((call) => call());
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        running.chunks.push(chunk);
        wake();
      });
    child.stdin.on("error", () => {});
    child.on("close", (code, signal) => {
      running.end ??= { code, signal, reason: signal === null ? "exit" : "killed" };
      wake();
    });
    const id = `p${this.#next++}`;
    this.#processes.set(id, running);
    return id;
  }

  #found(id: string): Running {
    const running = this.#processes.get(id);
    if (running === undefined)
      throw new BerthError("process_not_found", `There is no process ${id} in the sandbox.`);
    return running;
  }
}

function view(id: string, { command, end, startedAt }: Running): BackgroundProcess {
  return { id, command, running: end === null, code: end?.code ?? null, startedAt };
}

/** With all that it started. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}
