import type { ProcessEvent } from "../sandbox.ts";
import type { ByteRing } from "./byte-ring.ts";
import type { ProcessEnd } from "./running-process.ts";

const maxEventBytes = 64 * 1024;

/** The output of one process as it grows. */
export interface FollowedLog {
  readonly stream: "stdout" | "pty";
  readonly log: ByteRing;
  /** Called and emptied by `tell`. */
  readonly waiting: (() => void)[];
  end: ProcessEnd | null;
}

/** Tells whoever follows that there is more, or the end. */
export function tell({ waiting }: Pick<FollowedLog, "waiting">): void {
  for (const wake of waiting.splice(0)) wake();
}

/** Its output from an offset on as it comes, then its end. Whoever reads too slowly gets a gap, seen by the offsets. Ends early when the signal aborts. */
export async function* followLog(
  followed: FollowedLog,
  from: number,
  signal?: AbortSignal,
): AsyncGenerator<ProcessEvent> {
  const { log, stream } = followed;
  let next = Math.min(Math.max(0, from), log.total);
  const stopped = () => signal?.aborted === true;
  while (!stopped()) {
    const offset = Math.max(next, log.start);
    const data = log.from(offset, maxEventBytes);
    next = offset + data.length;
    if (data.length > 0) yield { type: "output", stream, offset, data };
    else if (followed.end !== null) {
      const { code, signal: by, reason = "exit" } = followed.end;
      yield { type: "end", code, signal: by, reason };
      return;
    } else await more(followed, signal);
  }
}

/** Waits for more output, the end, or the abort. */
async function more({ waiting }: FollowedLog, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  waiting.push(wake);
  signal?.addEventListener("abort", wake, { once: true });
  await promise;
  signal?.removeEventListener("abort", wake);
}
