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

async function cpuHog(target: Target): Promise<Finding> {
  const [hog, other] = [await target.tenant(), await target.tenant({ org: 1 })];
  const quiet = at(await echoes([other], 30), 0.5);
  const hogging = hog.run(busy(8, 8));
  const loud = await echoes([other], 30);
  await hogging;
  const p95 = at(loud, 0.95);
  // The machine that tests run on is not quiet: what counts is what the hog added.
  const leaks = p95 > 250 + 2 * quiet ? [`echo took ${Math.round(p95)} ms beside it`] : [];
  return {
    leaks,
    seen: `echo p50 ${quiet.toFixed(1)} ms quiet; p50 ${at(loud, 0.5).toFixed(1)}, p95 ${p95.toFixed(1)} ms beside 8 threads`,
  };
}

const neighbours = 20;

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

interface Rounds {
  /** The p95 of each round, milliseconds. */
  readonly quiet: readonly number[];
  readonly loud: readonly number[];
}

async function measure(others: readonly Runner[], attacker: Runner): Promise<Rounds> {
  const [quiet, loud]: [number[], number[]] = [[], []];
  for (let round = 0; round < 5; round++) {
    quiet.push(at(await echoesFor(others, hostileSeconds), 0.95));
    const attacking = attacker.run(hostile, { timeoutMs: (hostileSeconds + 1) * 1_000 }).catch(() => null);
    loud.push(at(await echoesFor(others, hostileSeconds), 0.95));
    await attacking;
  }
  return { quiet, loud };
}

const ratioOf = ({ quiet, loud }: Rounds) => at(loud, 0.5) / at(quiet, 0.5);
const isUnsteady = ({ quiet }: Rounds) => Math.max(...quiet) > 2 * Math.min(...quiet);

/**
 * Rounds of quiet and loud by turns, and the medians of their p95: one bad second of the machine decides nothing. What is quiet has to stay
 * as it is: where it changed by more than twice by itself, something else was at work, and all is measured once more, and once only.
 */
async function twentyNeighbours(target: Target): Promise<Finding> {
  const others: Runner[] = [];
  for (let made = 0; made < neighbours; made++)
    others.push(await target.tenant({ org: made % 2 === 0 ? 0 : 1, memory: 128, disk: 32 }));
  const attacker = await target.tenant({ memory: 256, disk: 64 });
  await echoes(others, 1);
  let rounds = await measure(others, attacker);
  const again = ratioOf(rounds) > 2 && isUnsteady(rounds);
  if (again) rounds = await measure(others, attacker);
  const [before, beside, ratio] = [at(rounds.quiet, 0.5), at(rounds.loud, 0.5), ratioOf(rounds)];
  const numbers = `exec p95 of ${neighbours} neighbours: ${before.toFixed(1)} ms quiet, ${beside.toFixed(1)} ms beside it`;
  return {
    leaks: ratio > 2 ? [`${numbers}: ${ratio.toFixed(2)} times`] : [],
    seen: `${numbers}, ${ratio.toFixed(2)} times${again ? " (measured twice)" : ""}`,
  };
}

export const neighbourRows: readonly Row[] = [
  { id: "SBX-11", name: "Busy CPU", without: needsCgroup, run: cpuHog },
  { id: "20 neighbours", name: "Everything at once", without: needsCgroup, run: twentyNeighbours },
];
