import { createRandom, type Random } from "../../chaos/random.ts";
import { type Action, forkNumber } from "./action.ts";
import { planTalk } from "./actions.ts";
import type { Build, PlannedFollower } from "./build.ts";
import type { Fault } from "./fault.ts";
import { planFaults } from "./faults.ts";
import type { Part, Plan } from "./plan.ts";

export const hourMs = 3_600_000;

const perHour = { sessions: 50, faults: 40, talk: 10 };
/** Ages at which sessions are deleted, once more in case that it fails. */
const lastMs = { least: 20 * 60_000, most: 70 * 60_000, again: 4 * 60_000 };

/** What nobody asks for again goes every half hour, as by the job of a server. */
const tidying = [15 * 60_000, 45 * 60_000].map((at) => ({
  kind: "prune" as const,
  at,
  process: "a1",
  ms: 0,
}));

/** Who lives from the first to the last hour: what piles up in a process ends with it. Another one dies instead. */
const spared: Readonly<Record<string, string>> = { w1: "w2", a1: "a2" };

function sparing(fault: Fault): readonly Fault[] {
  if (fault.kind === "restart-all") return [];
  const ends = fault.kind === "drain" || fault.kind.startsWith("crash-");
  return ends && "process" in fault
    ? [{ ...fault, process: spared[fault.process] ?? fault.process }]
    : [fault];
}

/** Hours in which agents are edited: a process keeps what it read of up to a thousand versions, and a day would only see it fill. */
const editedHours = 4;

/** Settings as people have them, so that sessions hibernate and wake, questions wait, and leases are renewed many thousand times. */
const build: Omit<Build, "followers"> = {
  workers: 2,
  apis: 2,
  leaseMs: 12_000,
  sweepMs: 10_000,
  mailboxPollMs: 3_000,
  snapshotEvery: 40,
  concurrency: 8,
  maxSessions: 40,
  idleTtlMs: 10 * 60_000,
  contextWindow: 4_000,
  strictWindow: false,
  approvalMs: 30 * 60_000,
  silentRest: false,
};

/** The first hour of a long life, as a plan; the other hours are parts that come later. */
export function longPlanOf(seed: number): Plan {
  const first = hourOf(seed, 0);
  return { ...first, seed, ms: hourMs, build: { ...build, followers: first.followers } };
}

/** What happens in one hour. Session 0 is there from the first to the last hour, and its log grows; all others come and go. */
export function hourOf(seed: number, hour: number): Part {
  const random = createRandom(`long ${seed} ${hour}`);
  const from = hour * hourMs;
  const numbers = Array.from({ length: perHour.sessions }, (_, at) => 1 + hour * perHour.sessions + at);
  const lives = numbers
    .map((session) => lifeOf(random.branch(`session ${session}`), session, from))
    .map((life) => life.filter(({ kind }) => kind !== "edition" || hour < editedHours));
  const faults = planFaults(random.branch("faults"), { ms: hourMs, build, count: perHour.faults });
  const followers: PlannedFollower[] = numbers
    .filter(() => random.chance(0.3))
    .map((session) => ({ session, at: from + random.int(0, hourMs) }));
  return {
    actions: [...lives.flat(), ...oldest(random, hour)].toSorted((a, b) => a.at - b.at),
    faults: [...faults.flatMap(sparing), ...tidying].map((fault) => ({ ...fault, at: from + fault.at })),
    followers: hour === 0 ? [{ session: 0, at: 1_000 }, ...followers] : followers,
  };
}

function lifeOf(random: Random, session: number, from: number): readonly Action[] {
  const begin = from + random.int(0, hourMs - 1);
  const ms = random.int(lastMs.least, lastMs.most);
  const actions = planTalk(random, { session, begin, ms }).map((action): Action =>
    // A session that its client does not know of is never deleted.
    action.kind === "create" ? { ...action, keyed: true, retries: true } : action,
  );
  const forks = actions
    .filter(({ kind }) => kind === "fork")
    .map((fork) => ({ ...fork, session: forkNumber(fork) }));
  const ends = [{ session, no: actions.length }, ...forks].flatMap(({ session: which, no }) =>
    [0, lastMs.again, 2 * lastMs.again].map((later, at): Action => ({
      kind: "delete",
      at: begin + ms + later,
      session: which,
      no: no + at + 1,
    })),
  );
  return [...actions, ...ends];
}

function oldest(random: Random, hour: number): readonly Action[] {
  const from = hour * hourMs;
  const spoken = Array.from({ length: perHour.talk }, (_, at): Action => ({
    kind: "say",
    at: from + Math.floor(((at + random.next()) * hourMs) / perHour.talk) + 10,
    session: 0,
    no: 1 + hour * perHour.talk + at,
    onBusy: "enqueue",
    identified: "clientId",
    script: `#S0.${hour}.${at} do put`,
  }));
  if (hour > 0) return spoken;
  return [{ kind: "create", at: 0, session: 0, no: 0, keyed: false, retries: true, script: null }, ...spoken];
}
