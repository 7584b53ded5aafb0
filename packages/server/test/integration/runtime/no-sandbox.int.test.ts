import { afterEach, describe, expect, it } from "vitest";
import { createUnavailable } from "../../../src/allocation/unavailable.ts";
import { builtinTools } from "../../../src/tools/builtin/builtin-tools.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";

describe("a server without a sandbox that isolates", () => {
  let harness: Harness | null = null;
  afterEach(() => harness?.close());

  it("SBX-23: refuses what needs one at once, without asking anybody, and goes on with the rest", async () => {
    harness = await Harness.open({
      tools: builtinTools,
      answer: (call) =>
        turnOf(call) > 0 ? text("done") : calls(["bash_run", { command: "id" }], ["todo_read", {}]),
      overrides: {
        sandboxes: createUnavailable({
          destroy: async () => "absent",
          release: async () => undefined,
          reapLeftovers: async () => 0,
          close: async () => undefined,
        }),
      },
    });
    const agent = await harness.agent({ tools: ["bash_*", "todo_*"], permissions: { mode: "approval" } });
    const sessionId = await harness.session(agent);
    await harness.say(sessionId, "go");
    const events = await harness.until(sessionId, (all) => all.some(({ type }) => type === "run.finished"));
    const results = events.filter((event) => event.type === "agent.tool_result");
    expect(results.map(({ data }) => data)).toMatchObject([
      {
        name: "bash_run",
        ok: false,
        errorType: "denied",
        content: expect.stringContaining("sandbox_unavailable"),
      },
      { name: "todo_read", ok: true },
    ]);
    expect(events.some(({ type }) => type === "approval.requested")).toBe(false);
  });
});
