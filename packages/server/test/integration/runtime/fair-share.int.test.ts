import { afterEach, describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import type { RuntimeSettings } from "../../../src/runtime/context.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { type Answer, text } from "../../support/runtime/scripted-client.ts";

const open: Harness[] = [];
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

/** What finds work that nobody was told of finds none while a test lasts: it would hide what fair share leaves waiting. */
const noSecondLook = { leaseMs: 60_000, sweepMs: 3_600_000, mailboxPollMs: 3_600_000 };

/** A worker whose runs do not end before `go` is called, but for those that are told to be quick. */
async function rig(settings: Partial<RuntimeSettings>) {
  let go = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const began: string[] = [];
  const answer: Answer = async function* (call, signal) {
    const said = JSON.stringify(call.request.messages.at(-1));
    began.push(/"(\w+ \d+)"/.exec(said)?.[1] ?? said);
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    if (!said.includes("quick")) await Promise.race([gate, aborted]);
    yield text("Done.");
  };
  const noisy = await Harness.open({ answer, settings: { ...noSecondLook, fairShare: true, ...settings } });
  open.push(noisy);
  return { noisy, began, go };
}

/** Sessions with one message each, all sent. */
async function pile(harness: Harness, count: number, word = "noisy", owner = "usr_test"): Promise<string[]> {
  const agent = await harness.agent({ name: `agent-${word}-${owner.replace("_", "-")}` });
  const sessions: string[] = [];
  for (let i = 0; i < count; i++) {
    const id = await harness.session(agent, owner);
    sessions.push(id);
    await harness.say(id, `${word} ${i}`);
  }
  return sessions;
}

async function until(condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("it did not come to that in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("fair share", () => {
  it.each([
    ["with room in memory for more than runs", { concurrency: 10, maxSessions: 20 }],
    ["with room in memory for no more than runs", { concurrency: 64, maxSessions: 10 }],
  ])(
    "lets a new organization's first run begin at once beside a noisy one at its cap, %s",
    async (_, settings) => {
      const { noisy, began, go } = await rig(settings);
      const sessions = await pile(noisy, 40);
      await until(() => began.length === 8);
      const fresh = noisy.neighbour();
      const agent = await fresh.agent();
      const session = await fresh.session(agent);
      await fresh.say(session, "quick 1");
      await until(() => began.includes("quick 1"));
      await fresh.finished(session);
      expect(began.filter((said) => said.startsWith("noisy"))).toHaveLength(8);
      go();
      for (const id of sessions) await noisy.finished(id);
      expect(new Set(began.filter((said) => said.startsWith("noisy"))).size).toBe(40);
    },
  );

  it("lets one organization have all of it where fair share is off", async () => {
    const { noisy, began, go } = await rig({ concurrency: 4, maxSessions: 20, fairShare: false });
    await pile(noisy, 6);
    await until(() => began.length === 4);
    go();
  });

  it("lets the people of an organization take turns, whatever one of them has piled up", async () => {
    const { noisy, began, go } = await rig({ concurrency: 5, maxSessions: 20 });
    const ada = await pile(noisy, 30, "ada", "usr_ada");
    await until(() => began.length === 4);
    const ben = await pile(noisy, 2, "ben", "usr_ben");
    go();
    for (const id of ben) await noisy.finished(id);
    const benBegan = began.findIndex((said) => said === "ben 1");
    // Two stand in line already when ben comes; from there on they take turns.
    expect(benBegan).toBeLessThan(14);
    for (const id of ada) await noisy.finished(id);
  });

  it("lets what needs no slot through at once, also to a session that waits for one", async () => {
    const { noisy, began } = await rig({ concurrency: 2, maxSessions: 4 });
    const sessions = await pile(noisy, 12);
    await until(() => began.length === 1);
    const last = sessions.at(-1) ?? "";
    const input = {
      id: newId("input"),
      lane: "control" as const,
      body: { type: "session.update" as const, title: "renamed" },
      runId: null,
      actor: { type: "user" as const, id: "usr_test" },
      clientId: null,
      traceparent: null,
    };
    await noisy.context.store.session(noisy.orgId, last).accept({ inputs: [input] });
    await noisy.context.queue.push({ orgId: noisy.orgId, sessionId: last, urgent: true });
    await noisy.until(last, (events) => events.some(({ type }) => type === "session.updated"));
  });

  it("holds an organization to its quota of running sessions, and goes on as they end", async () => {
    const { noisy, began, go } = await rig({ concurrency: 10, maxSessions: 20 });
    await noisy.context.store.org(noisy.orgId).limits.setQuotas({
      quotas: { runningSessions: 2 },
      audit: {
        id: newId("audit"),
        actor: { type: "system", id: "test", name: "test" },
        credential: null,
        action: "quota.set",
        target: null,
        outcome: "done",
        requestId: null,
        address: null,
        details: {},
      },
    });
    const sessions = await pile(noisy, 6);
    await until(() => began.length === 2);
    const other = noisy.neighbour();
    const [quick] = await pile(other, 1, "quick");
    await other.finished(quick ?? "");
    expect(began.filter((said) => said.startsWith("noisy"))).toHaveLength(2);
    go();
    for (const id of sessions) await noisy.finished(id);
  });
});
