import { type Finding, needsCgroup, type Row } from "../row.ts";
import type { Runner, Target } from "../target.ts";

/** Milliseconds of commands that do nothing, run one after another by each of these. */
async function echoes(runners: readonly Runner[], rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const runner of runners) {
      const began = performance.now();
      const { output } = await runner.run("echo here");
      times.push(output.includes("here") ? performance.now() - began : Number.POSITIVE_INFINITY);
    }
  }
  return times;
}

const at = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;

const busy = (count: number, duration: number) =>
  `for i in $(seq ${count}); do timeout ${duration} sh -c 'while :; do :; done' & done; wait`;

/** What a hostile session does all at once, and from beginning to end: processes, memory, disk, output, processor. */
const hostileSeconds = 4;
const hostile = `
/usr/bin/python3 -c 'import os, time
for _ in range(300):
    try: child = os.fork()
    except OSError: break
    if child == 0: time.sleep(${hostileSeconds}); os._exit(0)' &
(while [ $SECONDS -lt ${hostileSeconds} ]; do /usr/bin/python3 -c 'x = [b"x" * 1048576 for _ in range(400)]'; done) &
(while [ $SECONDS -lt ${hostileSeconds} ]; do head -c 200M /dev/zero >fill; rm fill; done) &
(timeout ${hostileSeconds} yes | head -c 60M) &
${busy(4, hostileSeconds)}`;

/** Commands of each of these in turn, for so many seconds: some hundreds, so that a p95 is that of many. */
async function echoesFor(runners: readonly Runner[], seconds: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + seconds * 1_000;
  while (performance.now() < until) times.push(...(await echoes(runners, 1)));
  return times;
}

/** Who is measured, and beside what. */
interface Contest {
  readonly others: readonly Runner[];
  readonly attack: () => Promise<unknown>;
  /** How long the attack takes. */
  readonly seconds: number;
  readonly rounds: number;
  /** Milliseconds that a command may take beside the attack, by those that it takes without. */
  readonly most: (quiet: number) => number;
}

interface Rounds {
  /** The p95 of each round, milliseconds. */
  readonly quiet: readonly number[];
  readonly loud: readonly number[];
}

async function measure({ others, attack, seconds, rounds }: Contest): Promise<Rounds> {
  const [quiet, loud]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    quiet.push(at(await echoesFor(others, seconds), 0.95));
    const [beside] = await Promise.all([echoesFor(others, seconds), attack()]);
    loud.push(at(beside, 0.95));
  }
  return { quiet, loud };
}

function judged({ quiet, loud }: Rounds, { most }: Contest) {
  const [before, beside] = [at(quiet, 0.5), at(loud, 0.5)];
  const numbers = `p95 ${before.toFixed(1)} ms quiet, ${beside.toFixed(1)} ms beside it, ${(beside / before).toFixed(2)} times`;
  return { numbers, isBad: !Number.isFinite(beside) || beside > most(before) };
}

const isUnsteady = ({ quiet }: Rounds) => Math.max(...quiet) > 2 * Math.min(...quiet);

/**
 * Rounds of quiet and loud by turns, and the medians of their p95: one bad second of the machine decides nothing. What is quiet has to stay
 * as it is: where it changed by more than twice by itself, something else was at work, and all is measured once more, and once only.
 */
async function compare(contest: Contest): Promise<Finding> {
  await echoes(contest.others, 1);
  let rounds = await measure(contest);
  const again = judged(rounds, contest).isBad && isUnsteady(rounds);
  if (again) rounds = await measure(contest);
  const { numbers, isBad } = judged(rounds, contest);
  return { leaks: isBad ? [numbers] : [], seen: `${numbers}${again ? " (measured twice)" : ""}` };
}

async function cpuHog(target: Target): Promise<Finding> {
  const [hog, other] = [await target.tenant(), await target.tenant({ org: 1 })];
  const seconds = 2;
  const attack = () => hog.run(busy(8, seconds));
  // The machine that tests run on is not quiet: what counts is what the hog added.
  const most = (quiet: number) => 250 + 2 * quiet;
  return await compare({ others: [other], attack, seconds, rounds: 3, most });
}

const neighbours = 20;

async function twentyNeighbours(target: Target): Promise<Finding> {
  const others: Runner[] = [];
  for (let made = 0; made < neighbours; made++)
    others.push(await target.tenant({ org: made % 2 === 0 ? 0 : 1, memory: 128, disk: 32 }));
  const attacker = await target.tenant({ memory: 256, disk: 64 });
  const seconds = hostileSeconds;
  const attack = () => attacker.run(hostile, { timeoutMs: (seconds + 1) * 1_000 }).catch(() => null);
  return await compare({ others, attack, seconds, rounds: 5, most: (quiet) => 2 * quiet });
}

export const neighbourRows: readonly Row[] = [
  { id: "SBX-11", name: "Busy CPU", without: needsCgroup, run: cpuHog },
  { id: "20 neighbours", name: "Everything at once", without: needsCgroup, run: twentyNeighbours },
];
