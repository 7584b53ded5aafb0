import { Checklist } from "../checklist.ts";
import type { PartScene } from "../part.ts";
import { canIsolate, killWhileSandboxesLive } from "../sandboxes/sandboxes.ts";
import { editedCopy } from "./copy.ts";
import { faultySandboxes, type PlantedFault } from "./faulty-sandboxes.ts";

/** Deaths of an edited server at most, and how long each lives. */
const kills = 5;
const lifeMs = 5_000;

/** Shows that the rules about sandboxes notice what they are about: each fault that is planted has to be found by its own rule. */
export async function proveSandboxesPart(part: PartScene): Promise<void> {
  if (!canIsolate(part)) return;
  for (const fault of faultySandboxes) await proveOne(part, fault);
}

async function proveOne(part: PartScene, { name, what, edits, rule }: PlantedFault): Promise<void> {
  const found = new Checklist();
  const { folder } = part.rig({ name: `prove-${name}-source` });
  const seen = () => found.violations(rule);
  await killWhileSandboxesLive(
    { ...part, checklist: found, random: part.random.branch(name) },
    {
      root: editedCopy(`${folder}/copy`, edits),
      name: `prove-${name}`,
      fates: Array.from({ length: kills }, () => ({
        failpoint: null,
        killAfterMs: lifeMs,
        from: "ready" as const,
      })),
      enough: () => seen().length > 0,
    },
  );
  const [first] = seen();
  if (first !== undefined) part.say(`${what}: ${first.story.replaceAll("\n", "; ").slice(0, 200)}`);
  part.checklist.check(
    `it is noticed when ${what}`,
    first !== undefined,
    () => `nothing was found against "${rule}"; against others: ${found.lines(1).join("\n")}`,
  );
}
