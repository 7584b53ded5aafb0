import { randomBytes } from "node:crypto";
import { backoffMs } from "../../lib/backoff.ts";
import { type Clock, pause } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { Frame } from "../protocol/frames.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import { execResult } from "../protocol/shapes.ts";
import type { ExecResult, ExecSpec } from "../sandbox.ts";
import { failureOf, HostFailure } from "./failures.ts";
import type { HostClient } from "./host-client.ts";
import { errorIn } from "./read-answer.ts";

export interface RemoteExec {
  readonly client: HostClient;
  readonly id: string;
  readonly deployment: string;
  readonly folder: string | undefined;
  readonly clock: Clock;
}

/** Attempts to go on with a command whose stream was cut; shorter in all than a host keeps what it has to tell. */
const attempts = 6;
/** How much later than its time limit a command's end may come, milliseconds. */
const graceMs = 30_000;

/**
 * Runs a command on a host. A stream that is cut goes on where it was, and a call that may have been lost is made again under the same
 * name, which the host runs once. `lost`: whether the command goes on cannot be known any more.
 */
export async function remoteExec(at: RemoteExec, spec: ExecSpec): Promise<ExecResult> {
  const began = at.clock.monotonic();
  const output = createOutput(spec.onOutput);
  const durationMs = () => at.clock.monotonic() - began;
  if (spec.signal?.aborted === true) return unfinished("killed", output.bytes(), durationMs());
  const execId = randomBytes(16).toString("hex");
  const tooLate = new AbortController();
  const timers = [at.clock.after(spec.timeoutMs + graceMs, () => tooLate.abort(overdue()))];
  const onAbort = () => {
    const cancel = { args: { execId }, id: at.id, deployment: at.deployment };
    // The end of the stream tells whether it worked.
    at.client.call(sandboxCalls.cancel, cancel).catch(() => undefined);
    timers.push(at.clock.after(graceMs, () => tooLate.abort(overdue())));
  };
  spec.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await followExec(at, { spec, execId, output, signal: tooLate.signal });
  } catch (thrown) {
    const isLost = at.client.closed.aborted || (output.hasBegun() && meansLost(thrown));
    if (!isLost) throw failureOf(at.client.address.name, thrown);
    return unfinished("lost", output.bytes(), durationMs());
  } finally {
    output.end();
    for (const timer of timers) timer.cancel();
    spec.signal?.removeEventListener("abort", onAbort);
  }
}

interface Following {
  readonly spec: ExecSpec;
  readonly execId: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

async function followExec(at: RemoteExec, { spec, execId, output, signal }: Following): Promise<ExecResult> {
  for (let failed = 0; ;) {
    const before = output.bytes();
    try {
      for await (const frame of open(at, { spec, execId, output, signal })) {
        const result = take(frame, output);
        if (result !== null) return result;
        if (output.bytes() > before) failed = 0;
      }
      throw new HostFailure("cut", "ended a stream in the middle");
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      if (!(thrown instanceof HostFailure) || thrown.kind === "wrong" || ++failed >= attempts) throw thrown;
      await pause(at.clock, backoffMs({ attempt: failed, baseMs: 100, capMs: 2_000 }), signal);
    }
  }
}

function open(at: RemoteExec, { spec, execId, output, signal }: Following): AsyncGenerator<Frame> {
  const { client, id, deployment } = at;
  if (output.hasBegun()) {
    const args = { execId, from: output.bytes() };
    return client.frames(sandboxCalls.resume, { args, id, deployment, signal });
  }
  const { command, cwd, environment, timeoutMs, oneshot, maxOutputBytes, onOutput } = spec;
  const args = {
    execId,
    command,
    timeoutMs,
    live: onOutput !== undefined,
    ...(at.folder !== undefined && { folder: at.folder }),
    ...(cwd !== undefined && { cwd }),
    ...(environment !== undefined && { environment: { ...environment } }),
    ...(oneshot !== undefined && { oneshot }),
    ...(maxOutputBytes !== undefined && { maxOutputBytes: Math.max(0, Math.trunc(maxOutputBytes)) }),
  };
  return client.frames(sandboxCalls.exec, { args, id, deployment, tail: spec.stdin, signal });
}

/** The result, when the frame has it. Throws what the host says went wrong. */
function take(frame: Frame, output: Output): ExecResult | null {
  switch (frame.kind) {
    case "alive":
      output.begin();
      return null;
    case "output":
      output.push(frame.offset, frame.data);
      return null;
    case "end": {
      const parsed = execResult.safeParse(frame.value);
      if (parsed.success) return parsed.data;
      throw new HostFailure("wrong", "told an end that breaks the protocol", parsed.error);
    }
    case "error":
      throw errorIn(frame.value) ?? new HostFailure("wrong", "told an error that breaks the protocol");
  }
}

interface Output {
  begin(): void;
  hasBegun(): boolean;
  /** How much of it is known. */
  bytes(): number;
  push(offset: number, data: Buffer): void;
  end(): void;
}

/** Bytes with their offsets as text: nothing twice, whole characters only, and a line where something is missing. */
function createOutput(onOutput: ExecSpec["onOutput"]): Output {
  const decoder = new TextDecoder();
  let begun = false;
  let next = 0;
  const give = (text: string) => {
    if (text !== "") onOutput?.(text);
  };
  return {
    begin: () => void (begun = true),
    hasBegun: () => begun,
    bytes: () => next,
    push(offset, data) {
      if (offset < next) throw new HostFailure("wrong", "told output twice");
      begun = true;
      if (offset > next) give(`${decoder.decode()}\n[... ${offset - next} bytes were lost here ...]\n`);
      next = offset + data.length;
      give(decoder.decode(data, { stream: true }));
    },
    end: () => give(decoder.decode()),
  };
}

/** A command that had begun, of which nothing more can be known. */
function meansLost(thrown: unknown): boolean {
  if (thrown instanceof HostFailure) return true;
  const lost = [
    "process_not_found",
    "sandbox_not_found",
    "sandbox_lost",
    "sandbox_gone",
    "sandbox_host_error",
  ];
  return thrown instanceof BerthError && lost.includes(thrown.code);
}

function unfinished(reason: "killed" | "lost", outputBytes: number, durationMs: number): ExecResult {
  return { code: null, signal: null, reason, output: "", outputBytes, truncated: false, durationMs };
}

function overdue(): HostFailure {
  return new HostFailure("late", "did not tell the end of a command in time");
}
