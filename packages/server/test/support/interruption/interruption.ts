// The one owner of how long commands end when somebody presses Ctrl-C: whatever they start is told here how it is ended.

/** In the order in which they end: each waits for the one before. */
const stages = ["commands", "servers", "hosts", "places"] as const;
/** Commands of ours and programs, servers, who makes sandboxes for them, and folders and mounts. */
type Stage = (typeof stages)[number];

type Interrupt = "SIGINT" | "SIGTERM" | "SIGHUP";

/** How something that a command started ends when the command is interrupted. */
interface Ending {
  readonly stage: Stage;
  /** Ends it in an orderly way. */
  readonly stop: (signal: Interrupt) => unknown;
  /** Ends it at once: at a second Ctrl-C, or when the command ends without having ended it. */
  readonly kill?: () => void;
}

/** As shells tell that a signal ended a command. */
const exitCodes: Readonly<Record<Interrupt, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
/** A terminal's Ctrl-C comes twice under npm, which forwards it: what comes within this time is the same one. Milliseconds. */
const sameSignalMs = 500;
const stopping =
  "Stopping: ends servers and sandboxes, then removes temporary folders. Press Ctrl-C again to end at once.";

const endings = new Set<Ending>();
const interrupting = new AbortController();
let owned = false;

/** Aborts when the command is interrupted. From then on it starts nothing, tells nothing, and leaves the end to its owner. */
export const interrupted: AbortSignal = interrupting.signal;

/** Whether this process ends what it starts: then its servers have process groups of their own, which no terminal's Ctrl-C reaches. */
export const endsItsOwn = (): boolean => owned;

/** Has something ended when the command is interrupted. Call what it returns when it has ended otherwise. */
export function whenInterrupted(ending: Ending): () => void {
  endings.add(ending);
  return () => void endings.delete(ending);
}

/** Waits for the end of an interrupted command; returns at once in any other. */
export async function unlessInterrupted(): Promise<void> {
  if (interrupted.aborted) await new Promise<never>(() => {});
}

/**
 * Ends this process at the first Ctrl-C, SIGTERM or hang-up with all that it started, and with 130, 143 or 129; at a second one at once.
 * `quiet`: another command, which it runs, tells what is done. For commands alone: tests are ended by what runs them.
 */
export function endOnSignals({ quiet = false }: { readonly quiet?: boolean } = {}): void {
  if (owned) return;
  owned = true;
  let askedAt: number | null = null;
  const onSignal = (signal: Interrupt) => {
    if (askedAt === null) {
      askedAt = performance.now();
      void endAll({ signal, code: exitCodes[signal], line: quiet ? null : stopping });
    } else if (performance.now() - askedAt >= sameSignalMs) process.exit(exitCodes[signal]);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  process.on("exit", () => {
    for (const { kill } of endings) kill?.();
  });
}

/** Ends a command that cannot go on as a signal does, with what it started and with 1. `reason`: what is told. */
export function giveUp(reason: string): void {
  void endAll({ signal: "SIGTERM", code: 1, line: reason });
}

interface End {
  readonly signal: Interrupt;
  readonly code: number;
  /** What is told; null for nothing. */
  readonly line: string | null;
}

async function endAll({ signal, code, line }: End): Promise<void> {
  if (interrupted.aborted) return;
  // What breaks from here on breaks because of this, a terminal that has gone included.
  process.on("uncaughtException", () => {});
  interrupting.abort();
  if (line !== null) process.stderr.write(`\n${line}\n`);
  const begun = new Set<Ending>();
  for (const stage of stages) {
    for (;;) {
      const due = [...endings].filter((ending) => ending.stage === stage && !begun.has(ending));
      if (due.length === 0) break;
      for (const ending of due) begun.add(ending);
      await end(due.toReversed(), signal);
    }
  }
  process.exit(code);
}

/** Places end one after another, the last first, because some lie in others; all else at once. */
async function end(due: readonly Ending[], signal: Interrupt): Promise<void> {
  const one = async (ending: Ending) => {
    try {
      await ending.stop(signal);
      endings.delete(ending);
    } catch (error) {
      process.stderr.write(`while stopping: ${String(error)}\n`);
    }
  };
  if (due[0]?.stage !== "places") await Promise.all(due.map(one));
  else for (const ending of due) await one(ending);
}
