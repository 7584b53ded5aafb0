import { afterEach, describe, expect, it } from "vitest";
import { Harness } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

describe("a worker that loses its lease and gets it back", () => {
  it("goes on with what it had to leave, without anybody asking for it", async () => {
    let starts = 0;
    const slow = testTool("slow", () => {
      starts += 1;
      return starts === 1 ? new Promise(() => undefined) : { ok: true, content: "second time" };
    });
    harness = await Harness.open({
      answer: (call) => (turnOf(call) === 0 ? calls(["slow", {}]) : text("done")),
      tools: [slow],
      settings: { leaseMs: 300 },
    });
    const h = harness;
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, () => starts === 1);
    const { system } = h.context.store;
    const heartbeat = system.heartbeat.bind(system);
    let missed = 0;
    const full = () => ((missed += 1), Promise.reject(new Error("the disk is full")));
    Object.assign(system, { heartbeat: full });
    await h.until(
      session,
      () => missed > 0 && !h.worker.health().ok && h.worker.activation.all().length === 0,
    );
    Object.assign(system, { heartbeat });
    const log = await h.finished(session);
    expect(starts).toBe(2);
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
  });
});
