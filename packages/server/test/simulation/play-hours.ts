import { deserialize, serialize } from "node:v8";
import { real } from "./engine/virtual-globals.ts";
import { hourMs, hourOf, longPlanOf } from "./plan/long-plan.ts";
import { leastHours, type Sizes, sizesOf, whatGrew } from "./checks/growth.ts";
import { countsTable, stepLine } from "./report.ts";
import { type LongPlay, runPlan } from "./run-plan.ts";
import type { Template } from "./template.ts";

/**
 * Plays one world for hours of virtual time, with faults all the while, and looks at each full hour how much there is of everything.
 * Resolves with the exit code: 0 when nothing was broken and nothing grew.
 */
export async function playHours(
  { hours, seed, steps }: { hours: number; seed: number; steps: number },
  template: Template,
): Promise<number> {
  const began = real.elapsed();
  // Outside of the heap that they are about.
  const seen: Buffer[] = [];
  const long: LongPlay = {
    async goOn({ world, clients, followers }) {
      world.forget();
      clients.forget();
      followers.splice(0, followers.length, ...followers.filter(({ ended }) => ended === null));
      const sizes = await sizesOf(world, followers);
      seen.push(serialize(sizes));
      console.log(hourLine(seen.length, sizes, (real.elapsed() - began) / 1_000));
      return seen.length < hours ? hourOf(seed, seen.length) : null;
    },
  };
  const outcome = await runPlan(longPlanOf(seed), template, steps, long);
  const { violation, lastSteps, counts, steps: taken, events, elapsed } = outcome;
  if (violation !== null) {
    for (const step of lastSteps) console.log(stepLine(step));
    console.log(`seed ${seed} failed after ${(elapsed / hourMs).toFixed(2)} hours: ${violation.message}`);
    return 1;
  }
  const grew = hours < leastHours ? [] : whatGrew(seen.map((one) => deserialize(one) as Sizes));
  console.log(countsTable(counts));
  for (const one of grew) console.log(`grew: ${one}`);
  const seconds = (real.elapsed() - began) / 1_000;
  const growth =
    hours < leastHours
      ? `, too short to say what grows: that takes ${leastHours} hours`
      : ` and ${grew.length === 0 ? "nothing" : `${grew.length} things`} grew`;
  console.log(
    `${(elapsed / hourMs).toFixed(1)} virtual hours in ${seconds.toFixed(1)} s: ${taken} steps, ${events} events of sessions that are left, no invariant broken${growth}`,
  );
  return grew.length === 0 ? 0 : 1;
}

function hourLine(hour: number, sizes: Sizes, seconds: number): string {
  const of = (name: string) => String(sizes[name] ?? 0);
  const heap = `${((sizes["heap bytes"] ?? 0) / 1_048_576).toFixed(1)} MiB`;
  return `  hour ${String(hour).padStart(2)} (${seconds.toFixed(0)} s): heap ${heap}, ${of("timers pending")} timers, ${of("sessions in memory")} of ${of("rows of sessions")} sessions in memory, ${of("followers")} followers, ${of("topics listened to")} topics, ${of("events of the oldest session")} events in the oldest session`;
}
