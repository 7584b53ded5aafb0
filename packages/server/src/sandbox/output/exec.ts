import type { Clock } from "../../lib/clock.ts";
import type { ExecResult, ExecSpec } from "../sandbox.ts";
import { CapturedOutput } from "./captured-output.ts";
import type { RunningProcess, StartProcess } from "./running-process.ts";

const mebibyte = 1024 * 1024;
const defaultKept = mebibyte;
const maxKept = 16 * mebibyte;
/** A command that writes more is ended. */
const maxWritten = 64 * mebibyte;

export interface Execution {
  readonly spec: ExecSpec;
  readonly clock: Clock;
  /** Aborts when the sandbox ends. */
  readonly ending: AbortSignal;
  readonly start: StartProcess;
}

/** Runs a command to its end, its time limit, its output limit or the signal, whichever comes first. */
export async function execute({ spec, clock, ending, start }: Execution): Promise<ExecResult> {
  const began = clock.monotonic();
  const output = new CapturedOutput(Math.min(spec.maxOutputBytes ?? defaultKept, maxKept));
  const live = liveText(spec.onOutput);
  let reason: ExecResult["reason"] = "exit";
  let running: RunningProcess | null = null;
  const stop = (why: ExecResult["reason"]) => {
    if (reason !== "exit") return;
    reason = why;
    void running?.kill();
  };
  const result = (code: number | null, signal: string | null): ExecResult => ({
    code,
    signal,
    reason,
    output: output.text(),
    outputBytes: output.totalBytes,
    truncated: output.truncated,
    durationMs: clock.monotonic() - began,
  });

  if (spec.signal?.aborted) {
    reason = "killed";
    return result(null, null);
  }
  const onAbort = () => stop("killed");
  for (const signal of [ending, spec.signal]) signal?.addEventListener("abort", onAbort, { once: true });
  const timer = clock.after(spec.timeoutMs, () => stop("timeout"));
  try {
    running = await start((chunk) => {
      output.push(chunk);
      live.push(chunk);
      if (output.totalBytes > maxWritten) stop("output_limit");
    });
    if (stopped()) void running.kill();
    const end = await running.ended;
    live.end();
    if (!stopped()) reason = end.reason ?? "exit";
    return result(end.code, end.signal);
  } finally {
    timer.cancel();
    for (const signal of [ending, spec.signal]) signal?.removeEventListener("abort", onAbort);
  }

  function stopped(): boolean {
    return reason !== "exit";
  }
}

/** Gives chunks on as text, a character that is split over two chunks with the second one. */
function liveText(onOutput: ExecSpec["onOutput"]) {
  const decoder = new TextDecoder();
  const give = (text: string) => {
    if (text !== "") onOutput?.(text);
  };
  return {
    push: (chunk: Buffer) => give(onOutput === undefined ? "" : decoder.decode(chunk, { stream: true })),
    end: () => give(decoder.decode()),
  };
}
