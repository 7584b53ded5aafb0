import { afterEach, describe, expect, it } from "vitest";
import { type SessionFrame, sessionTopic } from "../../../src/coordination/session-frames.ts";
import { answerCommand } from "../../../src/runtime/worker-commands.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function open(options: HarnessOptions): Promise<Harness> {
  harness = await Harness.open(options);
  return harness;
}

/** The actor of a session, when it has taken its turns. */
async function settled(h: Harness, session: string) {
  const actor = h.worker.activation.get(h.orgId, session);
  if (actor === null) throw new Error("the session is not live");
  await actor.turned();
  return actor;
}

describe("a session at rest", () => {
  it("keeps nothing of what only its runs need, and goes on", async () => {
    const seen: unknown[] = [];
    const h = await open({
      answer: () => {
        seen.push(h.worker.activation.get(h.orgId, session)?.effects);
        return text("hello");
      },
    });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.finished(session);
    const actor = await settled(h, session);
    expect(actor.effects).not.toBe(seen[0]);
    await h.say(session, "hi again");
    await h.finished(session, 2);
    expect(seen[1]).toBeDefined();
    expect(seen[1]).not.toBe(seen[0]);
  });

  it("keeps it all while its run waits for people", async () => {
    const write = testTool("write", () => ({ ok: true, content: "done" }), { effect: "once" });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["write", {}]) : text("done")),
      tools: [write],
    });
    const session = await h.session(await h.agent({ tools: ["*"], permissions: { mode: "approval" } }));
    await h.say(session, "hi");
    await h.until(session, (events) => events.some(({ type }) => type === "approval.requested"));
    const { effects } = await settled(h, session);
    expect((await settled(h, session)).effects).toBe(effects);
  });

  it.each([
    ["alone", "evict", "evicted"],
    ["with all that are idle", "cleanup", 1],
  ] as const)("is let go of, %s, as soon as its end can be read in the log", async (_, op, answer) => {
    const h = await open({ answer: () => text("hello") });
    const { lane } = h.context.store;
    const append = lane.append.bind(lane);
    const told = Promise.withResolvers<void>();
    const late: typeof append = async (commit) => {
      const outcome = await append(commit);
      if (commit.events.some(({ type }) => type === "run.finished")) await told.promise;
      return outcome;
    };
    Object.assign(lane, { append: late });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.finished(session);
    expect(h.worker.activation.get(h.orgId, session)?.running).toBe(true);
    const answered = answerCommand(h.worker, { op, orgId: h.orgId, sessionId: session });
    told.resolve();
    expect(await answered).toBe(answer);
    expect(h.worker.activation.get(h.orgId, session)).toBeNull();
  });

  it("says that it is busy while a turn of its run goes on", async () => {
    const h = await open({ answer: () => text("hello") });
    const { lane } = h.context.store;
    const append = lane.append.bind(lane);
    const told = Promise.withResolvers<void>();
    let ends = false;
    const stuck: typeof append = async (commit) => {
      ends = commit.events.some(({ type }) => type === "run.finished");
      if (ends) await told.promise;
      return await append(commit);
    };
    Object.assign(lane, { append: stuck });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, () => ends);
    expect(await answerCommand(h.worker, { op: "evict", orgId: h.orgId, sessionId: session })).toBe("busy");
    told.resolve();
    await h.finished(session);
  });

  it("does not tell followers again what it told them before", async () => {
    const h = await open({ answer: () => text("hello") });
    const session = await h.session(await h.agent());
    const told: string[] = [];
    await h.context.bus.subscribe(sessionTopic(h.orgId, session), (frame) => {
      const one = frame as SessionFrame;
      if (one.kind === "live" && one.type === "session.status")
        told.push((JSON.parse(one.json) as { data: { status: string } }).data.status);
    });
    await h.say(session, "hi");
    await h.finished(session);
    await settled(h, session);
    await h.send(session, { type: "session.update", title: "Other" });
    await h.until(session, (events) => events.some(({ type }) => type === "session.updated"));
    await settled(h, session);
    expect(told).toEqual(["running", "idle"]);
  });
});
