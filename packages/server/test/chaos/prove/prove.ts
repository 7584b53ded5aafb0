import type { FailpointName } from "../../../src/lib/failpoint.ts";
import { logRules } from "../checks/log-rules.ts";
import { onceRules } from "../checks/once-rules.ts";
import { Checklist } from "../checklist.ts";
import { killLoop } from "../kill-loop/kill-loop.ts";
import { startMockEndpoint } from "../kill-loop/mock-endpoint.ts";
import { mockProviderAt, tightSettings } from "../kill-loop/rig.ts";
import type { PartScene } from "../part.ts";
import { editedCopy } from "./copy.ts";
import { withoutStartMark } from "./without-start-mark.ts";

/** Deaths of the edited server, and where it dies: around the work of its tools. */
const kills = 25;
const among: readonly FailpointName[] = [
  "runtime.before-tool",
  "tool.effect-done",
  "runtime.tool-done",
  "store.commit.before",
];

/** Shows that the kill loop notices a server that has lost the start mark of its tools: it has to report what I6 forbids. */
export async function provePart(part: PartScene): Promise<void> {
  const { options, random, checklist, say } = part;
  const mock = await startMockEndpoint(random.branch("mock"));
  const rig = part.rig({ name: "prove", providers: [mockProviderAt(mock.url)], env: tightSettings });
  const found = new Checklist();
  try {
    const root = editedCopy(`${rig.folder}/copy`, withoutStartMark);
    await killLoop({
      rig,
      root,
      random,
      checklist: found,
      kills,
      hitsEach: 2,
      among,
      sessions: options.sessions,
      seconds: options.seconds,
      say,
    });
  } finally {
    await mock.close();
  }
  const noticed = [
    ["the log", logRules.I6marks],
    ["the file that the tools write", onceRules.once],
  ] as const;
  for (const [where, rule] of noticed) {
    const stories = found.violations(rule);
    for (const { sessionId, story } of stories.slice(0, 3)) say(`seen in ${where}: ${sessionId} ${story}`);
    checklist.check(
      `the kill loop fails by ${where} when the start mark is removed`,
      stories.length > 0,
      () => `nothing was found against "${rule}"`,
    );
  }
}
