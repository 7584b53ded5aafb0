import { afterEach, describe, expect, it } from "vitest";
import { stateVersion } from "../../../src/session/state.ts";
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
    lane: { ...store.lane, append: (commit) => ((commits += 1), store.lane.append(commit)) },
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

describe("the cost of a turn", { timeout: 120_000 }, () => {
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

  it("does not grow with the log: as many commits, as few reads, no bigger a request (I11)", async () => {
    const requests: number[] = [];
    const h = (harness = await Harness.open({
      answer: (call) => {
        if (call.request.system.includes("You write the summary")) return text("They talked.");
        requests.push(JSON.stringify(call.request.messages).length);
        return text("word ".repeat(40)).filter((part) => part.type !== "usage");
      },
    }));
    const session = await h.session(await h.agent({ contextWindow: 2_000 }));
    const { store, commits } = counted(h.context.store);
    (h.context as { store: Store }).store = store;
    const turns = 300;
    const perTurn: number[] = [];
    for (let turn = 1; turn <= turns; turn++) {
      const before = commits();
      const { runId } = await h.say(session, `turn ${turn}`);
      await h.untilRun(runId ?? "");
      perTurn.push(commits() - before);
    }
    const most = (numbers: readonly number[]) => Math.max(...numbers);
    expect(most(perTurn.slice(-100))).toBeLessThanOrEqual(most(perTurn.slice(0, 100)));
    expect(most(requests.slice(-100))).toBeLessThanOrEqual(1.05 * most(requests.slice(0, 100)));
    const loaded = await h.context.store.session(h.orgId, session).load({ stateVersion });
    expect(loaded?.events.length).toBeLessThan(250);
    expect(h.worker.activation.get(h.orgId, session)?.state.bytes).toBeLessThan(40_000);
  });
});
