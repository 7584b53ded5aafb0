import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../../src/store/store.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { echo } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

/** Counts the commits that a session's turn needs: acceptance and appends. */
function counted(store: Store): { store: Store; commits: () => number } {
  let commits = 0;
  const counting: Store = {
    ...store,
    session(orgId, sessionId) {
      const session = store.session(orgId, sessionId);
      return { ...session, accept: (change) => ((commits += 1), session.accept(change)) };
    },
    lane: { append: (commit) => ((commits += 1), store.lane.append(commit)) },
  };
  return { store: counting, commits: () => commits };
}

async function measure(options: HarnessOptions): Promise<{ commits: number; events: number }> {
  const opened = await Harness.open(options);
  harness = opened;
  const session = await opened.session(await opened.agent({ tools: ["*"] }));
  await opened.say(session, "warm up");
  await opened.finished(session, 1);
  const { store, commits } = counted(opened.context.store);
  (opened.context as { store: Store }).store = store;
  const before = (await opened.log(session)).length;
  await opened.say(session, "measured");
  const log = await opened.finished(session, 2);
  return { commits: commits(), events: log.length - before };
}

describe("the cost of a turn", () => {
  it("is at most 3 commits and 6 events for a plain answer", async () => {
    expect(await measure({ answer: () => text("ok") })).toEqual({ commits: 3, events: 6 });
  });

  it("is at most 5 commits and 12 events with one tool", async () => {
    const answer: HarnessOptions["answer"] = (call) =>
      turnOf(call) === 0 ? calls(["echo", { say: "x" }]) : text("ok");
    const { commits, events } = await measure({ answer, tools: [echo] });
    expect(commits).toBeLessThanOrEqual(5);
    expect(events).toBeLessThanOrEqual(12);
  });
});
