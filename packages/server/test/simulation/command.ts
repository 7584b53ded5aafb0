import { parseArgs } from "node:util";
import { real } from "./engine/virtual-globals.ts";
import { huntMutants, listOfMutants } from "./mutation/hunt.ts";
import { missingKinds } from "./plan/kinds.ts";
import { playHours } from "./play-hours.ts";
import { planOf } from "./plan/plan.ts";
import { countsTable, stepLine, storyOf } from "./report.ts";
import { type Outcome, runPlan } from "./run-plan.ts";
import { shrink } from "./shrink.ts";
import { makeTemplate, type Template } from "./template.ts";

const usage = `npm run sim -- [options]: plays the whole server under simulated time, one seed after another.
  --seeds <n>   how many (default 300)
  --from <n>    the first one (default 1)
  --seed <n>    one seed; prints its steps
  --hours <n>   one world for hours of virtual time (with --seed: that one), and that nothing grows
  --steps <n>   how many steps of a failure are printed (default 40)
  --no-shrink   prints failures as they are
  --mutants     plants one bug after another in copies, and expects that each is found
  --only <a,b>  these mutants only
  --list        prints the mutants`;

/** Failures that are shrunk and printed; of more only the number is. */
const mostStories = 5;
const progressMs = 5_000;

export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      seeds: { type: "string", default: "300" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      hours: { type: "string" },
      steps: { type: "string", default: "40" },
      shrink: { type: "boolean", default: true },
      mutants: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (values.list) {
    console.log(listOfMutants());
    return 0;
  }
  if (values.mutants) return huntMutants(values.only.split(",").filter((name) => name !== ""));
  const template = makeTemplate();
  const options = { steps: Number(values.steps), shrink: values.shrink };
  if (values.hours !== undefined) {
    const [hours, seed] = [Number(values.hours), Number(values.seed ?? "1")];
    return playHours({ hours, seed, steps: options.steps }, template);
  }
  if (values.seed !== undefined) return playOne(Number(values.seed), template, options);
  return playMany({ from: Number(values.from), seeds: Number(values.seeds), ...options }, template);
}

/** Plays a seed twice: what differs cannot be looked into. */
async function isTheSame(seed: number, template: Template): Promise<boolean> {
  const [one, other] = [await runPlan(planOf(seed), template), await runPlan(planOf(seed), template)];
  if (one.hash === other.hash) return true;
  console.log(`seed ${seed} played otherwise the second time: ${one.hash}, ${other.hash}`);
  return false;
}

interface Telling {
  readonly steps: number;
  readonly shrink: boolean;
}

async function playOne(seed: number, template: Template, telling: Telling): Promise<number> {
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
