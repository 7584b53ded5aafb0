// probe.ts <invariants, by comma> <seeds>: plays seeds until one breaks one of the invariants. Run in a copy with a planted bug, by slot.ts.
import "../engine/virtual-globals.ts";

const { planOf } = await import("../plan/plan.ts");
const { runPlan } = await import("../run-plan.ts");
const { makeTemplate } = await import("../template.ts");

const [invariants = "", seeds = "0"] = process.argv.slice(2);
const wanted = new Set(invariants.split(","));
const template = makeTemplate();
for (let seed = 1; seed <= Number(seeds); seed++) {
  const { violation } = await runPlan(planOf(seed), template, 1);
  if (violation === null) continue;
  const { invariant, message } = violation;
  console.log(JSON.stringify({ seed, invariant, message: message.slice(0, 600) }));
  if (wanted.has(invariant)) break;
}
