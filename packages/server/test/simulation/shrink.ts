import type { Plan } from "./plan/plan.ts";
import { type Outcome, runPlan } from "./run-plan.ts";
import type { Template } from "./template.ts";

/** Plays of one shrinking at most. */
const mostPlays = 250;

/** Leaves out whatever a failure does not need: faults, then whole sessions, then single actions, then faults again. */
export async function shrink(failed: Outcome, template: Template): Promise<Outcome> {
  const invariant = failed.violation?.invariant;
  let best = failed;
  let plays = 0;

  /** Takes a smaller plan if it fails in the same way. */
  async function attempt(plan: Plan): Promise<boolean> {
    if (plays >= mostPlays) return false;
    plays += 1;
    const outcome = await runPlan(plan, template);
    if (outcome.violation?.invariant !== invariant) return false;
    best = outcome;
    return true;
  }

  /** Leaves out parts of a list: first big ones, then ever smaller ones. */
  async function thin<T>(
    list: (plan: Plan) => readonly T[],
    put: (plan: Plan, kept: readonly T[]) => Plan,
  ): Promise<void> {
    for (
      let size = Math.ceil(list(best.plan).length / 2);
      size >= 1;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let at = 0; at < list(best.plan).length;) {
        const all = list(best.plan);
        const kept = [...all.slice(0, at), ...all.slice(at + size)];
        if (!(await attempt(put(best.plan, kept)))) at += size;
      }
    }
  }

  const faults = () =>
    thin(
      (plan) => plan.faults,
      (plan, kept) => ({ ...plan, faults: kept }),
    );
  await faults();
  await thin(
    (plan) => [...new Set(plan.actions.map(({ session }) => session))],
    (plan, kept) => ({ ...plan, actions: plan.actions.filter(({ session }) => kept.includes(session)) }),
  );
  await thin(
    (plan) => plan.actions,
    (plan, kept) => ({ ...plan, actions: kept }),
  );
  await thin(
    (plan) => plan.build.followers,
    (plan, kept) => ({ ...plan, build: { ...plan.build, followers: kept } }),
  );
  await faults();
  return best;
}
