import { afterEach, describe, expect, it } from "vitest";
import type { Bus } from "../../../src/coordination/bus.ts";
import { createInProcessBus } from "../../../src/coordination/in-process/bus.ts";
import { createInProcessQueue } from "../../../src/coordination/in-process/queue.ts";
import type { Queue } from "../../../src/coordination/queue.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

const act = testTool("act", () => ({ ok: true, content: "acted" }), { effect: "once" });

/** Coordination that can lose everything that is given to it. */
function lossy(): { queue: Queue; bus: Bus; lose: (losing: boolean) => void } {
  let losing = false;
  const queue = createInProcessQueue();
  const bus = createInProcessBus();
  return {
    queue: { ...queue, push: async (wakeUp) => (losing ? undefined : queue.push(wakeUp)) },
    bus: { ...bus, publish: (topic, frame) => (losing ? undefined : bus.publish(topic, frame)) },
    lose: (now) => (losing = now),
  };
}

describe("when coordination loses every wake-up and frame", () => {
  it("loses no input, no event and no approval: the sweep finds the work (I12)", async () => {
    const { queue, bus, lose } = lossy();
    const answer = (call: Parameters<typeof turnOf>[0]) =>
      turnOf(call) === 0 ? calls(["act", {}]) : text("done");
    const h = (harness = await Harness.open({ answer, tools: [act], overrides: { queue, bus } }));
    const session = await h.session(await h.agent({ tools: ["*"], permissions: { mode: "approval" } }));
    lose(true);
    await h.say(session, "hi");
    lose(false);
    await h.until(session, (log) => log.some((event) => event.type === "approval.requested"));
    const live = h.worker.activation.get(h.orgId, session);
    if (live !== null) await h.worker.activation.evict(live, "asked");
    const [pending] = (await h.context.store.org(h.orgId).listApprovals({ limit: 10, status: "pending" }))
      .items;
    lose(true);
    await h.send(
      session,
      { type: "user.approval", approvalId: pending?.id ?? "", decision: "allow" },
      "control",
    );
    lose(false);
    const log = await h.finished(session);
    expect(log.map((event) => event.seq)).toEqual(log.map((_, index) => index + 1));
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
  });
});
