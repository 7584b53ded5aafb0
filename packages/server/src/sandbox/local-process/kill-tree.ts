import { type Clock, pause } from "../../lib/clock.ts";
import { hasProc } from "../files/folder.ts";
import { type ProcessEntry, readMarks, readProcess, readProcesses } from "./process-table.ts";

/** How long processes may take to vanish after SIGKILL; one that waits for a device can take longer. */
const patienceMs = 2_000;

/** First process of a tree; its pid is also its group and its session. */
export interface Leader {
  readonly pid: number;
  /** Ticks since boot, so that a pid that was given out anew is left alone. */
  readonly start: number | null;
  /**
   * It was seen alive a moment ago. Then a group of its number is its group even when it has ended itself: a number is
   * not given out anew while a group has it.
   */
  readonly fresh: boolean;
}

export interface Prey {
  /** Whether an exec id is one of those to end. */
  readonly marked: (execId: string) => boolean;
  readonly leaders: readonly Leader[];
  /** Processes that started earlier cannot belong to it. */
  readonly since: number;
}

export interface Killed {
  readonly killed: number;
  /** Processes that did not vanish in time. */
  readonly left: number;
}

/**
 * Ends whole process trees by SIGKILL: the leaders' groups and sessions, every process that carries a mark, and all their
 * descendants; again until none is found, because a process can start another one while it is looked for.
 */
export async function killTree(prey: Prey, clock: Clock): Promise<Killed> {
  if (!hasProc) return { killed: killGroups(prey), left: 0 };
  const killed = new Set<string>();
  const end = clock.monotonic() + patienceMs;
  for (;;) {
    const doomed = findPrey(prey, readProcesses());
    for (const entry of doomed) {
      killed.add(`${entry.pid}/${entry.start}`);
      killExactly(entry);
    }
    if (doomed.length === 0) return { killed: killed.size, left: 0 };
    if (clock.monotonic() > end) return { killed: killed.size, left: doomed.length };
    await pause(clock, 2);
  }
}

function findPrey(prey: Prey, all: readonly ProcessEntry[]): ProcessEntry[] {
  const candidates = all.filter((entry) => entry.start >= prey.since);
  const byPid = new Map(all.map((entry) => [entry.pid, entry]));
  const trusted = new Set<number>();
  for (const { pid, start, fresh } of prey.leaders) {
    const now = byPid.get(pid);
    if (now === undefined ? fresh : now.start === start) trusted.add(pid);
  }
  const doomed = new Map<number, ProcessEntry>();
  for (const entry of candidates) {
    const related = trusted.has(entry.pid) || trusted.has(entry.group) || trusted.has(entry.session);
    if (related || readMarks(entry.pid).some(prey.marked)) doomed.set(entry.pid, entry);
  }
  for (let grown = doomed.size > 0; grown;) {
    grown = false;
    for (const entry of candidates) {
      if (doomed.has(entry.pid) || !doomed.has(entry.parent)) continue;
      doomed.set(entry.pid, entry);
      grown = true;
    }
  }
  return [...doomed.values()];
}

function killExactly({ pid, start }: ProcessEntry): void {
  if (readProcess(pid)?.start === start) sendKill(pid);
}

/** Without /proc only the groups can be ended; a process that left its group goes on. */
function killGroups({ leaders }: Prey): number {
  return leaders.filter(({ pid }) => sendKill(-pid)).length;
}

function sendKill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    // It has ended meanwhile, or it belongs to another user and cannot be ended by this one.
    return false;
  }
}
