import { afterEach, describe, expect, it } from "vitest";
import type { AnnouncedInput } from "../../../src/coordination/announcements.ts";
import { newId } from "../../../src/lib/id.ts";
import type { Store } from "../../../src/store/store.ts";
import { Harness } from "../../support/runtime/harness.ts";
import { text } from "../../support/runtime/scripted-client.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

interface Asked {
  mailboxes: number;
  appends: number;
}

/** A session that has had one run, is held and rests; from then on what it asks of the store is counted. */
async function atRest(settings: { concurrency?: number } = {}) {
  const h = (harness = await Harness.open({
    answer: () => text("ok"),
    // Nothing but announcements and wake-ups may bring it to look.
    settings: { mailboxPollMs: 3_600_000, sweepMs: 3_600_000, ...settings },
  }));
  const session = await h.session(await h.agent());
  await h.say(session, "warm up");
  await h.finished(session, 1);
  await expect.poll(() => h.worker.activation.get(h.orgId, session)?.quiet).toBe(true);
  const asked: Asked = { mailboxes: 0, appends: 0 };
  const { store } = h.context;
  const counting: Store = {
    ...store,
    session(orgId, sessionId) {
      const one = store.session(orgId, sessionId);
      return { ...one, mailbox: () => ((asked.mailboxes += 1), one.mailbox()) };
    },
    lane: { ...store.lane, append: (commit) => ((asked.appends += 1), store.lane.append(commit)) },
  };
  (h.context as { store: Store }).store = counting;
  const message = (): AnnouncedInput => ({
    id: newId("input"),
    orgId: h.orgId,
    sessionId: session,
    lane: "queue",
    body: { type: "user.message", content: "announced", onBusy: "enqueue" },
    runId: newId("run"),
    actor: { type: "user", id: "usr_test" },
    traceparent: null,
  });
  const accept = (...inputs: AnnouncedInput[]) =>
    store.session(h.orgId, session).accept({ inputs: inputs.map((input) => ({ ...input, clientId: null })) });
  const tell = (input: AnnouncedInput) => h.context.announcements.tell(h.worker.id, input);
  const wake = (...inputs: AnnouncedInput[]) =>
    h.worker.activation.get(h.orgId, session)?.wake(inputs.map(({ id }) => id));
  const rests = async () => {
    await expect.poll(() => h.worker.activation.get(h.orgId, session)?.quiet).toBe(true);
  };
  const inputsOf = async () => (await h.log(session)).flatMap((event) => event.inputId ?? []);
  return { h, session, asked, message, accept, tell, wake, rests, inputsOf };
}

describe("an input that is announced to a session at rest", () => {
  it("is taken with its acceptance, and nothing reads the mailbox for it (I3)", async () => {
    const { h, session, asked, message, accept, tell, wake, rests } = await atRest();
    const input = message();
    const accepting = accept(input);
    tell(input);
    await accepting;
    wake(input);
    await h.finished(session, 2);
    await rests();
    expect(asked).toEqual({ mailboxes: 0, appends: 2 });
  });

  it("changes nothing when it is not accepted, and what comes next is taken", async () => {
    const { h, session, message, accept, tell, wake, rests, inputsOf } = await atRest();
    const never = message();
    const before = await h.log(session);
    tell(never);
    await rests();
    expect(await h.log(session)).toEqual(before);
    const input = message();
    await accept(input);
    wake(input);
    await h.finished(session, 2);
    expect((await inputsOf()).slice(-1)).toEqual([input.id]);
  });

  it("is taken once, however often it is announced and whenever (I3)", async () => {
    const { h, session, message, accept, tell, wake, rests, inputsOf } = await atRest();
    const input = message();
    tell(input);
    await rests();
    const accepting = accept(input);
    tell(input);
    tell(input);
    await accepting;
    wake(input);
    tell(input);
    await h.finished(session, 2);
    await rests();
    tell(input);
    wake(input);
    await rests();
    expect((await inputsOf()).filter((id) => id === input.id)).toHaveLength(1);
  });

  it("waits its turn behind what was accepted before it (I3)", async () => {
    const { h, session, message, accept, tell, wake, inputsOf } = await atRest();
    const [first, second] = [message(), message()];
    await accept(first);
    const accepting = accept(second);
    tell(second);
    await accepting;
    wake(second);
    await h.finished(session, 3);
    expect((await inputsOf()).slice(-2)).toEqual([first.id, second.id]);
  });

  it("is not lost when there is no slot for its run: it is taken when there is one (I12)", async () => {
    const { h, session, message, accept, tell, wake, inputsOf } = await atRest({ concurrency: 1 });
    const other = {
      held: { orgId: h.orgId, sessionId: "ses_other", epoch: 1 },
      owner: "usr_other",
      nudge: () => {},
    };
    const slots = h.worker.activation.get(h.orgId, session)?.slots;
    expect(await slots?.take(other)).toBe(true);
    const input = message();
    const accepting = accept(input);
    tell(input);
    await accepting;
    wake(input);
    await expect.poll(() => slots?.waiting(h.orgId)).toBe(1);
    slots?.leave(other);
    await h.finished(session, 2);
    expect((await inputsOf()).slice(-1)).toEqual([input.id]);
  });
});
