import { real } from "./engine/virtual-globals.ts";
import { huntMutants, listOfMutants } from "./mutation/hunt.ts";
import { readOptions, type Telling, usage, type Wanted } from "./options.ts";
import { missingKinds } from "./plan/kinds.ts";
import { playHours } from "./play-hours.ts";
import { planOf } from "./plan/plan.ts";
import { countsTable, stepLine, storyOf } from "./report.ts";
import { type Outcome, runPlan } from "./run-plan.ts";
import { shrink } from "./shrink.ts";
import { makeTemplate, type Template } from "./template.ts";

/** Failures that are shrunk and printed; of more only the number is. */
const mostStories = 5;
const progressMs = 5_000;

/** Resolves with the exit code: 2 when the arguments are wrong. */
export async function main(argv: readonly string[]): Promise<number> {
  let wanted: Wanted;
  try {
    wanted = readOptions(argv);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (wanted.what === "help" || wanted.what === "list") {
    console.log(wanted.what === "help" ? usage : listOfMutants());
    return 0;
  }
  if (wanted.what === "mutants") return huntMutants(wanted.only);
  const template = makeTemplate();
  if (wanted.what === "hours") return playHours(wanted, template);
  if (wanted.what === "one") return playOne(wanted, template);
  return playMany(wanted, template);
}

/** Plays a seed twice: what differs cannot be looked into. */
async function isTheSame(seed: number, template: Template): Promise<boolean> {
  const [one, other] = [await runPlan(planOf(seed), template), await runPlan(planOf(seed), template)];
  if (one.hash === other.hash) return true;
  console.log(`seed ${seed} played otherwise the second time: ${one.hash}, ${other.hash}`);
  return false;
}

async function playOne(
  { seed, ...telling }: Telling & { seed: number },
  template: Template,
): Promise<number> {
  const outcome = await runPlan(planOf(seed), template, telling.steps);
  for (const step of outcome.lastSteps) console.log(stepLine(step));
  const again = await runPlan(planOf(seed), template);
  console.log(
    `seed ${seed}: ${outcome.steps} steps, ${outcome.events} events, hash ${outcome.hash}, again ${again.hash}`,
  );
  if (outcome.violation === null) return outcome.hash === again.hash ? 0 : 1;
  await tell(outcome, template, telling);
  return 1;
}

async function playMany(
  { from, seeds, ...telling }: Telling & { from: number; seeds: number },
  template: Template,
): Promise<number> {
  const began = real.elapsed();
  const sums = { steps: 0, events: 0, counts: new Map<string, number>() };
  let failed = 0;
  let told = began;
  for (let seed = from; seed < from + seeds; seed++) {
    const outcome = await runPlan(planOf(seed), template);
    sums.steps += outcome.steps;
    sums.events += outcome.events;
    for (const [kind, count] of outcome.counts) sums.counts.set(kind, (sums.counts.get(kind) ?? 0) + count);
    if (outcome.violation !== null && ++failed <= mostStories) await tell(outcome, template, telling);
    else if (outcome.violation !== null)
      console.log(`seed ${seed} failed: ${outcome.violation.message.slice(0, 200)}`);
    if (real.elapsed() - told < progressMs) continue;
    told = real.elapsed();
    console.log(`  ${seed - from + 1} of ${seeds} seeds, ${failed} failed`);
  }
  const seconds = (real.elapsed() - began) / 1_000;
  console.log(countsTable(sums.counts));
  if (!(await isTheSame(from, template))) failed += 1;
  const missing = seeds < 300 ? [] : missingKinds(sums.counts);
  if (missing.length > 0) console.log(`never happened: ${missing.join(", ")}`);
  console.log(
    `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} a second): ${sums.steps} steps, ${sums.events} events`,
  );
  console.log(`${seeds - failed} passed, ${failed + missing.length} failed`);
  return failed + missing.length > 0 ? 1 : 0;
}

async function tell(
  outcome: Outcome,
  template: Template,
  { steps, shrink: shrinks }: Telling,
): Promise<void> {
  console.log(`\nseed ${outcome.plan.seed} failed: ${outcome.violation?.message}`);
  const shown = shrinks ? await shrink(outcome, template) : outcome;
  console.log(storyOf(shown, steps));
  console.log(`again: npm run sim -- --seed ${outcome.plan.seed}\n`);
}
