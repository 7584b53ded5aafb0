import { randomBytes } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { BackgroundProcess, ProcessSpec, Sandbox } from "../sandbox.ts";
import { ByteRing } from "./byte-ring.ts";
import { type FollowedLog, followLog, tell } from "./follow-log.ts";
import type { ProcessEnd, RunningProcess, StartProcess } from "./running-process.ts";
import { wholeLength, wholeStart } from "./utf8-cut.ts";

const maxRunning = 16;
/** Ended processes whose output is still kept. */
const maxEnded = 16;
const keptLogBytes = 1024 * 1024;
/** Input of one process that may wait until it reads, besides the first piece: who gave it may be gone long before. */
const maxWaitingInput = 256 * 1024;
/** What a piece of input takes at least while it waits. */
const leastInput = 1024;

interface Entry extends FollowedLog {
  readonly id: string;
  readonly command: string;
  readonly hidden: boolean;
  readonly startedAt: number;
  readonly process: RunningProcess;
  waitingInput: number;
}

type ProcessVerbs = "processes" | "logs" | "attach" | "write" | "resize" | "kill";

export interface Background extends Pick<Sandbox, ProcessVerbs> {
  start(spec: ProcessSpec, start: StartProcess): Promise<BackgroundProcess>;
}

/** The processes of one sandbox that go on after the call that started them, with the newest part of their output. */
export function createBackground(clock: Clock): Background {
  const entries = new Map<string, Entry>();
  let starting = 0;

  function ended(entry: Entry, end: ProcessEnd): void {
    entry.end = end;
    tell(entry);
    if (entry.hidden) entries.delete(entry.id);
    const old = [...entries.values()].filter((other) => other.end !== null);
    for (const { id } of old.slice(0, Math.max(0, old.length - maxEnded))) entries.delete(id);
  }

  function live(id: string): Entry {
    const entry = entries.get(id);
    if (entry !== undefined && entry.end === null) return entry;
    throw new BerthError(
      "process_not_found",
      entry === undefined ? "There is no such process in this sandbox." : "This process has ended.",
    );
  }

  return {
    async start(spec, start) {
      const running = [...entries.values()].filter(({ end }) => end === null).length;
      if (running + starting >= maxRunning) throw tooMany();
      const log: FollowedLog = {
        stream: spec.pty === undefined ? "stdout" : "pty",
        log: new ByteRing(keptLogBytes),
        waiting: [],
        end: null,
      };
      starting++;
      const process = await start((chunk) => {
        log.log.push(chunk);
        tell(log);
      }).finally(() => starting--);
      const { command, hidden = false } = spec;
      const id = `bg_${randomBytes(4).toString("hex")}`;
      const entry: Entry = { ...log, id, command, hidden, startedAt: clock.now(), process, waitingInput: 0 };
      entries.set(entry.id, entry);
      void process.ended.then((end) => ended(entry, end));
      return show(entry);
    },
    processes: async () => [...entries.values()].filter(({ hidden }) => !hidden).map(show),
    async logs(id, offset = 0) {
      const entry = entries.get(id);
      return entry === undefined ? null : { ...readLog(entry, offset), process: show(entry) };
    },
    async *attach(id, { from = 0, signal } = {}) {
      yield* followLog(entries.get(id) ?? live(id), from, signal);
    },
    async write(id, data) {
      const entry = live(id);
      const { process } = entry;
      if (process.write === undefined) {
        throw new BerthError("process_input_closed", "This process was started without an input.");
      }
      const taken = Math.max(data?.length ?? 0, leastInput);
      if (entry.waitingInput > 0 && data !== null && entry.waitingInput + taken > maxWaitingInput)
        throw inputFull();
      entry.waitingInput += taken;
      await process.write(data).finally(() => (entry.waitingInput -= taken));
    },
    async resize(id, size) {
      const { process } = live(id);
      if (process.resize === undefined) {
        throw new BerthError("sandbox_unsupported", "This process was started without a terminal.");
      }
      await process.resize(size);
    },
    async kill(id) {
      const entry = entries.get(id);
      if (entry === undefined) return false;
      await entry.process.kill();
      return true;
    },
  };
}

function tooMany(): BerthError {
  return new BerthError(
    "too_many_processes",
    `${maxRunning} background processes are running already; end one of them first.`,
  );
}

function inputFull(): BerthError {
  const message =
    "This process does not read its input: what it was given before waits still. Try again later.";
  return new BerthError("sandbox_busy", message, { retryable: true });
}

function show({ id, command, end, startedAt }: Entry): BackgroundProcess {
  return { id, command, running: end === null, code: end?.code ?? null, startedAt };
}

function readLog({ log, end }: Entry, offset: number): { text: string; nextOffset: number } {
  const bytes = log.from(offset);
  const begin = log.total - bytes.length;
  const lost = begin - Math.max(0, offset);
  // A character that is not complete yet is given with the next call.
  const length = end === null ? wholeLength(bytes) : bytes.length;
  const from = lost > 0 ? wholeStart(bytes) : 0;
  const text = bytes.subarray(from, length).toString("utf8");
  const marker = lost > 0 ? `[${lost + from} bytes of older output are no longer kept]\n` : "";
  return { text: marker + text, nextOffset: begin + length };
}
