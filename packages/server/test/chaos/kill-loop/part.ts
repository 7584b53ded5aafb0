import type { Checklist } from "../checklist.ts";
import type { FaultsOptions } from "../options.ts";
import type { Random } from "../random.ts";
import { repository } from "../repository.ts";
import { killLoop } from "./kill-loop.ts";
import { startMockEndpoint } from "./mock-endpoint.ts";
import { createRig, mockProviderAt, tightSettings } from "./rig.ts";
import { tableOf } from "./table.ts";

/** Fewer hits are wanted of each failpoint than there are kills to go round in a short run. */
const hitsEach = 5;

/** The kill loop as a part of the faults. */
export async function killsPart(options: FaultsOptions, random: Random, checklist: Checklist): Promise<void> {
  const mock = await startMockEndpoint(random.branch("mock"));
  const rig = createRig({ name: "kills", providers: [mockProviderAt(mock.url)], env: tightSettings });
  try {
    const report = await killLoop({
      rig,
      root: repository,
      random,
      checklist,
      mock,
      kills: options.kills,
      hitsEach: options.kills >= 300 ? hitsEach : 0,
      sessions: options.sessions,
      seconds: options.seconds,
      say: (line) => console.log(`  ${line}`),
    });
    for (const line of tableOf(report)) console.log(line);
  } finally {
    await mock.close();
  }
}
