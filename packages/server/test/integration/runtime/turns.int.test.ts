import { afterEach, describe, expect, it } from "vitest";
const delegateTool = testTool("delegate", () => ({ ok: false, errorType: "runtime", message: "never" }));
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { echo, testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function open(options: HarnessOptions): Promise<Harness> {
  harness = await Harness.open(options);
  return harness;
}

describe("a turn", () => {
  it("answers a message in six events", async () => {
    const h = await open({ answer: () => text("hello") });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.map((event) => event.type)).toEqual([
      "session.created",
      "user.message",
      "run.started",
      "step.started",
      "agent.message",
      "step.finished",
      "run.finished",
    ]);
    expect(log.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn", steps: 1 } });
  });

  it("runs a tool in twelve events and tells the model its result", async () => {
    const h = await open({
      answer: (call) => {
        if (turnOf(call) === 0) return calls(["echo", { say: "forty-two" }]);
        const last = call.request.messages.at(-1);
        return text(last?.role === "tool" ? `It said ${JSON.stringify(last.results[0]?.content)}` : "?");
      },
      tools: [echo],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.length - 1).toBeLessThanOrEqual(12);
    expect(log.find((event) => event.type === "agent.message")).toMatchObject({
      data: { text: `It said "forty-two"` },
    });
  });

  it("asks before a call, waits, and runs exactly what was approved (I7)", async () => {
    const ran: unknown[] = [];
    const write = testTool("write", (input) => (ran.push(input), { ok: true, content: "done" }), {
      effect: "once",
    });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["write", { a: 1 }]) : text("ok")),
      tools: [write],
    });
    const session = await h.session(await h.agent({ tools: ["*"], permissions: { mode: "approval" } }));
    await h.say(session, "hi");
    const asked = await h.until(session, (log) => log.some((event) => event.type === "approval.requested"));
    const request = asked.find((event) => event.type === "approval.requested");
    if (request?.type !== "approval.requested") throw new Error("not asked");
    expect(ran).toEqual([]);
    const { approvalId } = request.data;
    await h.send(
      session,
      { type: "user.approval", approvalId, decision: "edit", input: { a: 2 } },
      "control",
    );
    const log = await h.finished(session);
    expect(ran).toEqual([{ a: 2 }]);
    const result = log.find((event) => event.type === "agent.tool_result");
    const decided = log.find((event) => event.type === "approval.decided");
    expect(decided?.type === "approval.decided" && decided.data.inputHash).toBe(
      result?.type === "agent.tool_result" && result.data.executedHash,
    );
  });

  it("delegates to two sub-agents at once and goes on with their results", async () => {
    const h = await open({
      answer: (call) => {
        if (call.request.system.includes("You work on one task"))
          return text(`did ${JSON.stringify(call.request.messages.at(-1))}`);
        const helper = (task: string) => ["delegate", { agent: "helper", task }] as const;
        return turnOf(call) === 0 ? calls(helper("one"), helper("two")) : text("both done");
      },
      tools: [delegateTool],
    });
    await h.agent({ name: "helper" });
    const session = await h.session(await h.agent({ subagents: ["helper"] }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    const finished = log.filter((event) => event.type === "subagent.finished");
    expect(finished.map((event) => event.data.namespace).toSorted()).toEqual(["helper-1", "helper-2"]);
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn", steps: 4 } });
  });

  it("keeps the server's own secrets out of the log when a tool finds them", async () => {
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["echo", { say: "KEY=brt_canary" }]) : text("ok")),
      tools: [testTool("echo", () => ({ ok: true, content: "KEY=brt_canary" }))],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.find((event) => event.type === "agent.tool_result")).toMatchObject({
      data: { content: "KEY=[secret]" },
    });
  });

  it("refuses arguments that are nested too deep, and goes on", async () => {
    const raw = `{"say":${"[".repeat(5_000)}${"]".repeat(5_000)}}`;
    const h = await open({
      answer: (call) =>
        turnOf(call) === 0
          ? [
              { type: "tool_call", block: 0, name: "echo" },
              { type: "tool_input", block: 0, text: raw },
              { type: "finish", finish: "tool_calls" },
            ]
          : text("ok"),
      tools: [echo],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.find((event) => event.type === "agent.tool_result")).toMatchObject({
      data: { errorType: "validation" },
    });
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn" } });
  });
});
