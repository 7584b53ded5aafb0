import { randomBytes } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { BackgroundProcess, Sandbox } from "../sandbox.ts";
import { ByteRing } from "../output/byte-ring.ts";
import type { ProcessTree } from "./process-tree.ts";
import { wholeLength, wholeStart } from "../output/utf8-cut.ts";

const maxRunning = 16;
/** Ended processes whose output is still kept. */
const maxEnded = 16;
const keptLogBytes = 1024 * 1024;

interface Entry {
  readonly id: string;
  readonly command: string;
  readonly startedAt: number;
  readonly log: ByteRing;
  readonly tree: ProcessTree;
  running: boolean;
  code: number | null;
}

export interface Background extends Pick<Sandbox, "processes" | "logs" | "kill"> {
  start(
    command: string,
    start: (onOutput: (chunk: Buffer) => void) => Promise<ProcessTree>,
  ): Promise<BackgroundProcess>;
}

/** The processes of one sandbox that go on after the call that started them. */
export function createBackground(clock: Clock): Background {
  const entries = new Map<string, Entry>();
  let starting = 0;

  function forgetOldest(): void {
    const ended = [...entries.values()].filter((entry) => !entry.running);
    for (const entry of ended.slice(0, Math.max(0, ended.length - maxEnded))) entries.delete(entry.id);
  }

  return {
    async start(command, start) {
      const running = [...entries.values()].filter((entry) => entry.running).length;
      if (running + starting >= maxRunning) {
        throw new BerthError(
          "too_many_processes",
          `${maxRunning} background processes are running already; end one of them first.`,
        );
      }
      const log = new ByteRing(keptLogBytes);
      starting++;
      const tree = await start((chunk) => log.push(chunk)).finally(() => starting--);
      const id = `bg_${randomBytes(4).toString("hex")}`;
      const entry: Entry = { id, command, startedAt: clock.now(), log, tree, running: true, code: null };
      entries.set(id, entry);
      void tree.ended.then(({ code }) => {
        entry.running = false;
        entry.code = code;
        forgetOldest();
      });
      return show(entry);
    },
    processes: async () => [...entries.values()].map(show),
    async logs(id, offset = 0) {
      const entry = entries.get(id);
      return entry === undefined ? null : { ...readLog(entry, offset), process: show(entry) };
    },
    async kill(id) {
      const entry = entries.get(id);
      if (entry === undefined) return false;
      await entry.tree.kill();
      return true;
    },
  };
}

function show({ id, command, running, code, startedAt }: Entry): BackgroundProcess {
  return { id, command, running, code, startedAt };
}

function readLog({ log, running }: Entry, offset: number): { text: string; nextOffset: number } {
  const bytes = log.from(offset);
  const begin = log.total - bytes.length;
  const lost = begin - Math.max(0, offset);
  // A character that is not complete yet is given with the next call.
  const length = running ? wholeLength(bytes) : bytes.length;
  const from = lost > 0 ? wholeStart(bytes) : 0;
  const text = bytes.subarray(from, length).toString("utf8");
  const marker = lost > 0 ? `[${lost + from} bytes of older output are no longer kept]\n` : "";
  return { text: marker + text, nextOffset: begin + length };
}
