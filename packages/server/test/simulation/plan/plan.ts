import { createRandom, type Random } from "../../chaos/random.ts";
import type { Action } from "./action.ts";
import type { Build, PlannedFollower } from "./build.ts";
import { planActions } from "./actions.ts";
import { noChat, planChat } from "./chat.ts";
import type { Fault } from "./fault.ts";
import { planFaults } from "./faults.ts";
import { narrowWindows, planNarrow } from "./narrow.ts";

/** What happens in a stretch of time. */
export interface Part {
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
  readonly followers: readonly PlannedFollower[];
}

/** All that a seed decides, as data: a story is a plan with things left out. */
export interface Plan {
  readonly seed: number;
  /** How long clients act and faults fall. */
  readonly ms: number;
  readonly build: Build;
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
}

export function planOf(seed: number): Plan {
  const random = createRandom(`simulation ${seed}`);
  const drawn = random.weighted([
    [14, random.int(5, 7)],
    [5, random.int(8, 14)],
    [1, random.int(15, 30)],
  ]);
  const ms = random.int(8, 22) * 1_000;
  const chat = random.branch("chat");
  const narrow = random.branch("narrow");
  const isNarrow = narrow.chance(0.2);
  // The one that fills its window says as much as several others.
  const sessions = isNarrow ? Math.ceil(drawn / 2) : drawn;
  const wide = planBuild(random.branch("build"), sessions, ms);
  const talker = sessions + 1;
  const build = isNarrow ? narrowed(narrow, wide, talker) : wide;
  const met = [
    chat.chance(0.4) ? planChat(chat, sessions) : noChat,
    isNarrow ? planNarrow(narrow, talker, build) : noChat,
  ];
  return {
    seed,
    ms,
    build,
    actions: inOrder([
      ...planActions(random.branch("actions"), { sessions, ms }),
      ...met.flatMap(({ actions }) => actions),
    ]),
    faults: inOrder([
      ...planFaults(random.branch("faults"), { ms, build }),
      ...met.flatMap(({ faults }) => faults),
    ]),
  };
}

function inOrder<T extends { readonly at: number }>(planned: readonly T[]): readonly T[] {
  return planned.toSorted((a, b) => a.at - b.at);
}

/** A world in which summaries are needed, with a follower of the session that needs most. */
function narrowed(random: Random, build: Build, talker: number): Build {
  const followers = build.followers.map((one, at) => (at === 0 ? { ...one, session: talker } : one));
  return { ...build, contextWindow: random.pick(narrowWindows), strictWindow: random.chance(0.4), followers };
}

function planBuild(random: Random, sessions: number, ms: number): Build {
  return {
    workers: random.int(2, 4),
    apis: random.int(1, 2),
    leaseMs: random.pick([3_000, 6_000, 6_000, 12_000]),
    sweepMs: random.pick([2_000, 5_000, 5_000]),
    mailboxPollMs: random.pick([500, 1_000, 3_000]),
    snapshotEvery: random.pick([3, 10, 40]),
    concurrency: random.pick([1, 2, 8, 64]),
    maxSessions: random.pick([2, 4, 8, 100]),
    idleTtlMs: random.pick([2_000, 10_000, 60_000]),
    contextWindow: random.pick([1_200, 4_000, 128_000]),
    strictWindow: false,
    approvalMs: random.pick([3_000, 15_000, 120_000]),
    silentRest: random.chance(0.3),
    followers: Array.from({ length: random.int(1, 3) }, () => ({
      session: random.int(0, sessions - 1),
      at: random.int(0, ms / 2),
    })),
  };
}
