import { failpoints } from "../../../src/lib/failpoint.ts";
import type { PartScene } from "../part.ts";
import { repository } from "../repository.ts";
import { killLoop } from "./kill-loop.ts";
import { startMockEndpoint } from "./mock-endpoint.ts";
import { mockProviderAt, tightSettings } from "./rig.ts";
import { tableOf } from "./table.ts";

/** How often each failpoint is hit, when there are enough kills to go round. */
const hitsEach = 5;
const enoughKills = 300;

/** Only where there are several sandbox hosts. */
const ofHosts: readonly string[] = ["allocation.copying", "allocation.copied", "allocation.moved"];
/** Only where sandboxes wait to be claimed. */
const ofPools: readonly string[] = ["allocation.warm", "allocation.claimed"];
/** Those of bubblewrap and of pools are hit by the part of sandboxes; here is neither, and a loop that waited for them would never end. */
const isHere = (name: string) => ![...ofHosts, ...ofPools].includes(name) && !name.startsWith("sandbox.");

/** The kill loop as a part of the faults. */
export async function killsPart({ options, random, checklist, say, rig: newRig }: PartScene): Promise<void> {
  const mock = await startMockEndpoint(random.branch("mock"));
  const rig = newRig({ name: "kills", providers: [mockProviderAt(mock.url)], env: tightSettings });
  const { kills, sessions, seconds } = options;
  try {
    const report = await killLoop({
      rig,
      root: repository,
      random,
      checklist,
      kills,
      among: failpoints.filter(isHere),
      hitsEach: kills >= enoughKills ? hitsEach : 0,
      sessions,
      seconds,
      say,
    });
    for (const line of tableOf(report)) say(line);
  } finally {
    await mock.close();
  }
}
