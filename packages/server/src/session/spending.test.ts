import { describe, expect, it } from "vitest";
import { idOf } from "../../test/support/session/ids.ts";
import {
  agent,
  budgetReached,
  call,
  client,
  delegation,
  helper,
  person,
  story,
} from "../../test/support/session/story.ts";
import type { Story } from "../../test/support/session/story.ts";
import { finishRun } from "./decide-run.ts";
import { fold } from "./fold.ts";
import { type Spending, spendingOf } from "./spending.ts";
import { initialState, noUsage } from "./state.ts";

/** What each event of a story spent. */
function spendings({ events }: Story): readonly Spending[] {
  return events.flatMap((event, index) => spendingOf(fold(events.slice(0, index)), event) ?? []);
}

const asking = (...calls: readonly ReturnType<typeof call>[]) =>
  story()
    .message("hi")
    .think()
    .answer(...calls);

describe("what an event spent", () => {
  it("is a model's call, from when its step began", () => {
    const told = story().message("hi").think();
    const begun = Date.parse(told.events.at(-1)?.at ?? "");
    expect(spendings(told.answer("a"))).toEqual([
      {
        call: idOf("step", 1),
        at: begun,
        kind: "model",
        name: "test/model",
        usage: { ...noUsage, inputTokens: 10, outputTokens: 5 },
        cost: 0.5,
        durationMs: 1_000,
        ok: true,
        estimated: false,
        owner: person.id,
        agents: [agent.id],
        runId: idOf("run", 1),
      },
    ]);
  });

  it("is a guess for a call that was cut off", () => {
    const told = story().message("hi").think();
    told.ends("interrupted");
    expect(spendings(told)).toMatchObject([{ kind: "model", ok: false, estimated: true, cost: null }]);
  });

  it("is nothing for the open step of a run that waits for a budget: its call was counted when its worker was lost", () => {
    const told = story().message("hi").think().add(budgetReached());
    told.ends("interrupted");
    expect(spendings(told)).toEqual([]);
  });

  it("is a tool's run, the server's or the caller's, and not a call that never ran", () => {
    const told = asking(
      call(1),
      call(2, client),
      call(3, { permission: "deny" }),
      call(4, { permission: "ask" }),
    );
    told.returns(1).requests(2).asks(4).returns(2);
    told.ends("interrupted");
    expect(spendings(told).filter(({ kind }) => kind === "tool")).toMatchObject([
      { call: idOf("toolUse", 1), name: "tool_1", ok: true, durationMs: 5, cost: null, usage: noUsage },
      { call: idOf("toolUse", 2), name: "tool_2" },
    ]);
  });

  it("is a guess for a tool that was cut off after its start", () => {
    const told = asking(call(1, { effect: "once" })).starts(1);
    told.ends("interrupted");
    expect(spendings(told).at(-1)).toMatchObject({ kind: "tool", ok: false, estimated: true, durationMs: 0 });
  });

  it("counts a sub-agent's calls to it and to the agents above it, and its delegation to nobody", () => {
    const told = asking(call(1, delegation)).delegates(1).think("helper-1").answerIn("helper-1", "done");
    told.reports("helper-1").think().answer("a");
    const found = spendings(told);
    expect(found.map(({ kind }) => kind)).toEqual(["model", "model", "model"]);
    expect(found.map(({ agents }) => agents)).toEqual([[agent.id], [helper.id, agent.id], [agent.id]]);
  });

  it("is counted to no run when there is none", () => {
    const { state, events } = story().message("hi").think().answer("a");
    const before = fold(events.slice(0, -1));
    expect(state.run).not.toBeNull();
    const [event] = events.slice(-1);
    expect(event && spendingOf({ ...before, run: null }, event)).toMatchObject({ runId: "" });
  });

  it("is nothing for events of which the state knows nothing", () => {
    const told = asking(call(1)).returns(1);
    for (const event of told.events) expect(spendingOf(initialState, event)).toBeNull();
    const { state } = story().message("hi").think();
    const cut = finishRun(state, { reason: "interrupted", now: 0 });
    expect(cut.map(({ type }) => type)).toContain("step.finished");
  });
});
