import { openSocket } from "../../followers/socket.ts";
import { sleep } from "../../sleep.ts";
import { quickText, slowText, type Turn } from "../script.ts";
import type { Said, Talk } from "../talk.ts";
import { type Activity, scripted } from "./activity.ts";
import { effectiveEvents } from "../../../../src/session/fold.ts";

/** Something that takes a while. */
function longWork({ random, world }: Talk): readonly Turn[] {
  const path = `work/${random.int(1, 5)}.txt`;
  return [
    [slowText(random, 200), { tool: "fs_write", input: { path, content: world.ledger.word("work") } }],
    [world.once.call("sleep 0.2")],
    [slowText(random, 300)],
  ];
}

/** Waits until a run has begun, and then a little. */
async function underWay(talk: Talk, { input }: Said): Promise<boolean> {
  if (input === null) return false;
  const begun = await talk.waitFor(
    (log) => log.find(({ runId, type }) => runId === input.runId && type === "run.started"),
    20_000,
  );
  await sleep(talk.random.int(0, 500));
  return begun !== null;
}

const steer: Activity = {
  name: "steering",
  weight: 3,
  async run(talk) {
    const first = await talk.say(longWork(talk));
    await underWay(talk, first);
    const steering = await talk.say([], "steer");
    const more = talk.random.chance(0.4) ? [await talk.say([], "steer")] : [];
    for (const said of [first, steering, ...more]) await talk.ended(said);
  },
};

const interrupt: Activity = {
  name: "interrupts",
  weight: 4,
  async run(talk) {
    const { random, world } = talk;
    const first = await talk.say(longWork(talk));
    await underWay(talk, first);
    const how = random.int(1, 3);
    if (how === 1) await talk.send([{ type: "user.interrupt", reason: "enough" }]);
    else if (how === 2)
      await world.caller.call({ method: "POST", path: `/sessions/${talk.id}/cancel`, body: {} });
    else await talk.ended(await talk.say([[quickText(random)]], "interrupt"));
    await talk.ended(first);
  },
};

const rollback: Activity = {
  name: "rollbacks",
  weight: 4,
  reaches: ["runtime.before-restore", "runtime.after-restore"],
  async run(talk) {
    const first = await talk.say(longWork(talk));
    await underWay(talk, first);
    const second = await talk.say([[quickText(talk.random)], ...longWork(talk)], "rollback");
    await talk.ended(first);
    await talk.ended(second);
  },
};

/** Several messages at once, some of which are taken back while they wait. */
const queueing: Activity = {
  name: "a full queue",
  weight: 3,
  async run(talk) {
    const { random, world } = talk;
    const first = await talk.say(longWork(talk));
    const words = Array.from({ length: random.int(2, 4) }, () => world.ledger.word("mark"));
    const messages = words.map((word) => ({
      type: "user.message" as const,
      content: `${word} {"script":[[{"text":"${word}"}]]}`,
    }));
    const said = await talk.send(messages, words);
    const note = world.ledger.word("mark");
    await talk.send([{ type: "system.message", content: note }], [note]);
    const chosen = random.pick(said).input;
    if (chosen?.runId && random.chance(0.6))
      await world.caller.call({ method: "POST", path: `/runs/${chosen.runId}/cancel`, body: {} });
    for (const each of [first, ...said]) await talk.ended(each);
  },
};

/** Rejected when something goes on; what was rejected may leave no trace. */
const rejecting: Activity = {
  name: "onBusy reject",
  weight: 1,
  async run(talk) {
    const first = await talk.say(longWork(talk));
    const second = await talk.say([[quickText(talk.random)]], "reject");
    await talk.ended(first);
    await talk.ended(second);
  },
};

/** A message and a decision that comes too late, in one request: all of it or nothing. */
const lateBatch: Activity = {
  name: "all or nothing",
  weight: 1,
  kinds: ["careful", "hasty"],
  async run(talk) {
    await talk.turn([[talk.world.once.call()], [quickText(talk.random)]]);
    const decided = effectiveEvents(talk.log).findLast((event) => event.type === "approval.decided");
    if (decided?.type !== "approval.decided") return;
    const { approvalId, decision } = decided.data;
    if (decision === "edit") return;
    const marker = talk.world.ledger.word("mark");
    const message = { type: "user.message" as const, content: `${marker} {"script":[[{"text":"late"}]]}` };
    const [said] = await talk.send([message, { type: "user.approval", approvalId, decision }], [marker]);
    if (said !== undefined) await talk.ended(said);
  },
};

/** A run that fails, and is tried again. */
const retry: Activity = {
  name: "retries",
  weight: 2,
  async run(talk) {
    const { random, world } = talk;
    const failing = await talk.turn([[{ error: "invalid_request" }], [quickText(random)]]);
    if (failing?.type !== "run.finished" || failing.runId === undefined) return;
    const called = await world.caller.call({
      method: "POST",
      path: `/runs/${failing.runId}/retry`,
      body: {},
    });
    if (called.reply.status !== 202) return;
    const [input] = (
      called.reply.json as { inputs: { id: string; position: number; runId: string | null }[] }
    ).inputs;
    if (input === undefined) return;
    world.ledger.accepted.push({
      sessionId: talk.id,
      inputId: input.id,
      runId: input.runId,
      type: "run.retry",
      lane: "queue",
      sentTick: called.sentTick,
      repliedTick: called.repliedTick,
      index: 0,
      key: called.key,
    });
    await talk.ended({ marker: "", input, code: "" });
  },
};

/** Over a WebSocket there are no keys: the client's own id of the input takes their place. */
const socketSend: Activity = {
  name: "sending over a WebSocket",
  weight: 2,
  async run(talk) {
    const { world } = talk;
    const marker = world.ledger.word("mark");
    const clientId = world.ledger.word("client");
    const content = `${marker} {"script":[[{"text":"${marker}"}]]}`;
    const events = [{ type: "user.message" as const, content, clientId }];
    const sentTick = world.ledger.tick();
    const [input] = await acceptedBySocket(talk, events);
    if (input === undefined) return;
    const called = { sentTick, repliedTick: world.ledger.tick(), key: clientId };
    world.ledger.accepted.push({
      sessionId: talk.id,
      inputId: input.id,
      runId: input.runId,
      type: "user.message",
      lane: "queue",
      index: 0,
      ...called,
    });
    talk.noteMarker({ marker, inputId: input.id, code: "" });
    await talk.ended({ marker, input, code: "" });
  },
};

async function acceptedBySocket(talk: Talk, events: readonly unknown[]) {
  for (;;) {
    const door = await talk.world.keeper.door();
    const { socket, inbox } = openSocket(door, "/ws");
    socket.once("open", () =>
      socket.send(JSON.stringify({ op: "send", id: "1", sessionId: talk.id, events })),
    );
    try {
      for await (const frame of inbox.read()) {
        if (frame.op === "accepted") return frame.inputs;
        if (frame.op === "error" && !passing.has(frame.code)) return [];
        if (frame.op === "error") break;
      }
    } catch {
      // The connection broke, and nobody knows whether it was heard: it is sent again.
    } finally {
      socket.terminate();
    }
    await sleep(50);
  }
}

const passing: ReadonlySet<string> = new Set(["too_many_streams", "shutting_down", "store_unavailable"]);

export const interruptionActivities: readonly Activity[] = [
  steer,
  interrupt,
  rollback,
  queueing,
  rejecting,
  lateBatch,
  retry,
  socketSend,
].map((activity) => ({ kinds: scripted, ...activity }));
