import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { wireTimes } from "../protocol/wire.ts";
import { Execution, type Run } from "./execution.ts";

/** Commands that run, and those that ended a moment ago, by sandbox and the name that the server gave them. */
export interface Executions {
  /** The command of this name; `run` is called when there is none yet. */
  start(key: string, run: Run): Execution;
  /** Throws `process_not_found`. */
  find(key: string): Execution;
  cancel(key: string): void;
  /** Ends all. */
  close(): void;
}

/** What ended commands may keep, bytes. */
const mostKept = 64 * 1024 * 1024;

export function createExecutions(clock: Clock): Executions {
  const known = new Map<string, Execution>();
  /** By name, the oldest first: how each is forgotten. */
  const ended = new Map<string, () => void>();
  let kept = 0;

  function keepForAWhile(key: string, execution: Execution): void {
    const { size } = execution;
    const timer = clock.after(wireTimes.afterEnd, () => forget());
    const forget = () => {
      timer.cancel();
      if (!ended.delete(key)) return;
      known.delete(key);
      kept -= size;
    };
    ended.set(key, forget);
    kept += size;
    for (const forgetOldest of ended.values()) {
      if (kept <= mostKept) return;
      forgetOldest();
    }
  }

  return {
    start(key, run) {
      const existing = known.get(key);
      if (existing !== undefined) return existing;
      const execution: Execution = new Execution({
        clock,
        run,
        onEnd: () => keepForAWhile(key, execution),
      });
      known.set(key, execution);
      return execution;
    },
    find(key) {
      const execution = known.get(key);
      if (execution !== undefined) return execution;
      throw new BerthError("process_not_found", "The command is not known here (any more).");
    },
    cancel: (key) => known.get(key)?.cancel(),
    close() {
      for (const execution of known.values()) execution.cancel();
      for (const forget of ended.values()) forget();
    },
  };
}
