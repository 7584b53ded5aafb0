import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { ProcessEnd, RunningProcess } from "../output/running-process.ts";
import type { EndReason } from "../sandbox.ts";
import { charge } from "./agent/frames.ts";
import { ProtocolError } from "./agent-channel.ts";
import type { AgentConnection, HostMessage, OpenChannel } from "./agent-connection.ts";
import type { Refusal } from "./agent-messages.ts";

/** How long an agent may take to end a command and all that it started; one that takes longer is lost with its sandbox. */
const killMs = 1_800;
/** And to begin one: a sandbox whose processor is held by others is slow. */
const startMs = 30_000;

export interface AgentProcessSpec {
  readonly connection: AgentConnection;
  readonly clock: Clock;
  readonly message: Extract<HostMessage, { type: "start" }>;
  /** All of its standard input. */
  readonly stdin?: Uint8Array;
  /** Told why a command failed, where the host knows more than its exit. */
  readonly explain: (end: ProcessEnd) => Promise<EndReason | null>;
  readonly onOutput: (chunk: Buffer) => void;
}

export interface AgentProcess extends RunningProcess {
  /**
   * Whether the command has begun; rejects with what keeps it from that. False: the sandbox was lost or ended before it said
   * so, and the command may have begun. `ended` resolves in any case.
   */
  readonly started: Promise<boolean>;
  /** Ends it for a reason of the host's. */
  end(reason: EndReason): Promise<void>;
}

/** Starts a command in the sandbox. Throws when nothing can be started there any more. */
export function startProcess(spec: AgentProcessSpec): AgentProcess {
  const { connection, clock, message, onOutput } = spec;
  const started = Promise.withResolvers<boolean>();
  const ended = Promise.withResolvers<ProcessEnd>();
  let why: EndReason | null = null;
  const finish = async (end: ProcessEnd) => {
    deadline.cancel();
    const known = why ?? (end.code === 0 ? null : await spec.explain(end));
    ended.resolve(known === null ? end : { ...end, reason: known });
  };

  const channel = connection.open(message, {
    started() {
      deadline.cancel();
      started.resolve(true);
    },
    failed(code) {
      started.reject(refused(code));
      void finish({ code: null, signal: null });
    },
    data(chunk) {
      onOutput(chunk);
      channel.used(charge(chunk.length));
    },
    eof() {
      throw new ProtocolError("an end of data of a command");
    },
    end({ code, signal, left }) {
      void finish({ code, signal });
      if (left > 0) connection.fail(`${left} of its processes could not be ended`);
    },
    lost() {
      const reason = connection.ended?.code === "sandbox_gone" ? "killed" : "lost";
      started.resolve(false);
      void finish({ code: null, signal: null, reason });
    },
  });
  const deadline = clock.after(startMs, () => connection.fail("it did not begin a command"));
  // Who asks for the end only is told of it there.
  started.promise.catch(() => undefined);
  if (spec.stdin !== undefined) void channel.send(spec.stdin).then(() => channel.sendEof());

  let killed = false;
  const kill = async () => {
    killed = true;
    channel.close();
    const timer = clock.after(killMs, () => channel.closed || connection.fail("it did not end a command"));
    await ended.promise;
    timer.cancel();
  };
  return {
    started: started.promise,
    ended: ended.promise,
    kill,
    end: (reason) => {
      why ??= reason;
      return kill();
    },
    ...(message.input && spec.stdin === undefined ? { write: createWriter(channel, () => killed) } : {}),
    ...(message.terminal === undefined ? {} : { resize: async (size) => channel.resize(checkedSize(size)) }),
  };
}

/** Writes one after another, as far as the process takes it. What one that is being ended had not taken, nobody takes. */
function createWriter(
  channel: OpenChannel,
  isKilled: () => boolean,
): (data: Uint8Array | null) => Promise<void> {
  let closed = false;
  let last = Promise.resolve();
  return async (data) => {
    if (closed) throw new BerthError("process_input_closed", "The input of this process was closed before.");
    closed = data === null;
    last = last.then(() => (data === null ? channel.sendEof() : channel.send(data)));
    await last;
    if (channel.closed || isKilled()) throw new BerthError("process_not_found", "This process has ended.");
  };
}

/** A terminal's size that every program can take. */
export function checkedSize(size: { columns: number; rows: number }): { columns: number; rows: number } {
  const { columns, rows } = size;
  const possible = [columns, rows].every((side) => Number.isInteger(side) && side >= 1 && side <= 1_000);
  if (possible) return { columns, rows };
  throw new BerthError("command_invalid", "A terminal has between 1 and 1000 columns and rows.");
}

function refused(code: Refusal): BerthError {
  const retryable = code === "command_failed_to_start";
  return new BerthError(code, refusals[code], { retryable });
}

const refusals: Readonly<Record<Refusal, string>> = {
  command_failed_to_start: "The command could not be started: the sandbox has too many processes. Try again.",
  file_not_found: "There is no such folder in the workspace.",
  not_a_directory: "Commands can only begin in a folder.",
  path_invalid: "Commands can only begin in a folder of the workspace.",
  port_refused: "Nothing listens on this port in the sandbox.",
};
