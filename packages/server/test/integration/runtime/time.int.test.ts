import { afterEach, describe, expect, it } from "vitest";
import type { SessionEvent } from "@berth/contract";
import type { ModelCall } from "../../../src/models/model.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, scriptedClient, text, turnOf } from "../../support/runtime/scripted-client.ts";
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

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes its input to the file `note`. */
const write = testTool(
  "write",
  async ({ text: words }, context) => {
    const sandbox = await context.sandbox();
    await sandbox.files.write("note", encoder.encode(String(words)));
    return { ok: true, content: "written" };
  },
  { effect: "idempotent" },
);

/** Calls `write` with the user's words, then answers. */
const writer = (call: ModelCall) => {
  const user = call.request.messages.findLast((message) => message.role === "user");
  const [part] = user?.content ?? [];
  const words = part !== undefined && "text" in part ? part.text : "";
  return turnOf(call) === 0 ? calls(["write", { text: words }]) : text(`wrote ${words}`);
};

async function note(h: Harness, session: string): Promise<string | null> {
  const files = await h.context.sandboxes.files({ orgId: h.orgId, sessionId: session });
  if (files === null || (await files.stat("note")) === null) return null;
  return decoder.decode(await files.read("note"));
}

describe("rewind", () => {
  it("goes back in the conversation and in the workspace, and says to where", async () => {
    const h = await open({ answer: writer, tools: [write] });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "one");
    const first = await h.finished(session, 1);
    await h.say(session, "two");
    await h.finished(session, 2);
    expect(await note(h, session)).toBe("two");
    const toSeq = first.at(-1)?.seq ?? 0;
    const { id } = await h.send(session, { type: "session.rewind", toSeq }, "control");
    const log = await h.until(session, (events) => events.some((event) => event.inputId === id));
    expect(log.at(-1)).toMatchObject({ type: "session.rewound", data: { toSeq, manifestSeq: toSeq } });
    expect(await note(h, session)).toBe("one");
    await h.say(session, "three");
    await h.finished(session, 3);
    const state = await h.context.store.session(h.orgId, session).load({ stateVersion: 1 });
    const seen = state?.events.map((event) => event.json).join("\n") ?? "";
    expect(seen).not.toContain('"two"');
    expect(log.map((event) => event.seq)).toEqual(log.map((_, index) => index + 1));
  });

  it("refuses a place in the middle of a step, and one that was undone", async () => {
    const h = await open({ answer: writer, tools: [write] });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "one");
    const log = await h.finished(session, 1);
    const middle = log.find((event) => event.type === "agent.tool_use")?.seq ?? 0;
    const refusedId = (await h.send(session, { type: "session.rewind", toSeq: middle }, "control")).id;
    await h.until(session, (events) => events.some((event) => event.inputId === refusedId));
    await h.send(session, { type: "session.rewind", toSeq: 1 }, "control");
    await h.until(session, (events) => events.some((event) => event.type === "session.rewound"));
    const { id } = await h.send(session, { type: "session.rewind", toSeq: log.at(-1)?.seq ?? 0 }, "control");
    const after = await h.until(session, (events) => events.some((event) => event.inputId === id));
    const refusals = after.filter((event) => event.type === "input.refused").map((event) => event.data.code);
    expect(refusals).toEqual(["not_a_safe_point", "not_a_safe_point"]);
  });

  it("survives a restart: the fold of the effective log is the same (I8)", async () => {
    const h = await open({ answer: writer, tools: [write], settings: { snapshotEvery: 3 } });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "one");
    await h.finished(session, 1);
    await h.say(session, "two");
    await h.finished(session, 2);
    await h.send(session, { type: "session.rewind", toSeq: 1 }, "control");
    await h.until(session, (events) => events.some((event) => event.type === "session.rewound"));
    const actor = h.worker.activation.get(h.orgId, session);
    // The log is read a moment before the actor hears that it was written.
    await actor?.turned();
    const before = actor?.state;
    await h.worker.stop(0);
    h.worker = new Worker(h.context);
    await h.worker.start();
    await h.say(session, "three");
    const log = await h.finished(session, 3);
    const answers = log.filter((event) => event.type === "agent.message").map((event) => event.data.text);
    expect(answers.at(-1)).toBe("wrote three");
    expect(before?.namespaces[""]?.items.length).toBe(0);
  });
});

const finishedRuns = (log: readonly SessionEvent[]) =>
  log.filter(({ type }) => type === "run.finished").length;

describe("context", () => {
  it("is compacted by a summary before it is full, and the conversation goes on", async () => {
    const seen: number[] = [];
    const h = await open({
      answer: (call) => {
        if (call.request.system.includes("You write the summary")) return text("They talked.");
        seen.push(JSON.stringify(call.request.messages).length);
        // Without the provider's own count, which would be that of a real one.
        return text("a".repeat(2_000)).filter((part) => part.type !== "usage");
      },
    });
    const session = await h.session(await h.agent({ contextWindow: 4_000 }));
    for (let turn = 1; turn <= 12; turn++) {
      await h.say(session, `turn ${turn}`);
      await h.finished(session, turn);
    }
    const log = await h.log(session);
    const compactions = log.filter((event) => event.type === "context.compacted");
    expect(compactions.length).toBeGreaterThan(0);
    expect(compactions[0]).toMatchObject({ data: { method: "summary", summary: "They talked." } });
    expect(Math.max(...seen)).toBeLessThan(20_000);
    expect(
      log.filter((event) => event.type === "run.finished").every((event) => event.data.reason === "end_turn"),
    ).toBe(true);
  });

  it("is left alone by a summary whose run is interrupted in the moment that it comes", async () => {
    const summary = Promise.withResolvers<void>();
    const asked = { summary: false };
    const models = scriptedClient(() => text("a".repeat(2_000)).filter((part) => part.type !== "usage"));
    const of: typeof models.of = (scope) => ({
      ...models.of(scope),
      async *stream(call, signal) {
        if (call.request.system.includes("You write the summary")) {
          asked.summary = true;
          await summary.promise;
        }
        yield* models.stream(call, signal);
      },
    });
    const h = await open({ answer: () => text("done"), overrides: { models: { ...models, of } } });
    const session = await h.session(await h.agent({ contextWindow: 2_000 }));
    const { store } = h.context;
    const scopeOf = store.session.bind(store);
    const looked = Promise.withResolvers<void>();
    const look = Promise.withResolvers<void>();
    const slow: typeof store.session = (orgId, id) => {
      const scope = scopeOf(orgId, id);
      const mailbox: typeof scope.mailbox = async () => {
        const waiting = await scope.mailbox();
        if (waiting.some(({ body }) => body.type === "user.interrupt")) {
          looked.resolve();
          await look.promise;
        }
        return waiting;
      };
      return { ...scope, mailbox };
    };
    Object.assign(store, { session: slow });
    let turns = 0;
    while (!asked.summary) {
      await h.say(session, `turn ${(turns += 1)}`);
      await h.until(session, (log) => asked.summary || finishedRuns(log) === turns);
    }
    await h.send(session, { type: "user.interrupt" }, "control");
    await looked.promise;
    const actor = h.worker.activation.get(h.orgId, session);
    summary.resolve();
    await h.until(session, () => actor?.effects.size === 0);
    look.resolve();
    await h.until(session, (log) => finishedRuns(log) === turns);
    await h.say(session, "go on");
    const log = await h.finished(session, turns + 1);
    expect(log.filter(({ type }) => type === "session.resumed")).toEqual([]);
    expect((await store.session(h.orgId, session).find())?.epoch).toBe(1);
  });

  it("is compacted and the call tried again once when the provider finds it too long", async () => {
    let tooLong = true;
    const h = await open({
      answer: (call) => {
        if (call.request.system.includes("You write the summary")) return text("Short.");
        if (call.request.messages.length > 4 && tooLong) {
          tooLong = false;
          return [
            {
              type: "error",
              error: { code: "context_length_exceeded", message: "too long", retryable: false },
            },
          ];
        }
        return text("fine ".repeat(50));
      },
    });
    const session = await h.session(await h.agent());
    for (let turn = 1; turn <= 4; turn++) {
      await h.say(session, `turn ${turn}`);
      await h.finished(session, turn);
    }
    const log = await h.log(session);
    expect(log.filter((event) => event.type === "context.compacted")).toHaveLength(1);
    expect(
      log.filter((event) => event.type === "run.finished").every((event) => event.data.reason === "end_turn"),
    ).toBe(true);
  });
});

describe("a definition", () => {
  it("stays for a run what it was when the run began, and is the newest for the next (I14)", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const slow = testTool("slow", async () => (await gate, { ok: true, content: "done" }));
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["slow", {}]) : text(call.request.system)),
      tools: [slow],
    });
    const agent = await h.agent({ tools: ["*"], instructions: "old" });
    const session = await h.session(agent);
    await h.say(session, "hi");
    await h.until(session, (log) => log.some((event) => event.type === "agent.tool_use"));
    const store = h.context.store.org(h.orgId);
    const found = await store.findAgent(agent.id);
    if (found === null) throw new Error("no agent");
    await store.putAgent({ id: agent.id, definition: { ...found.definition, instructions: "new" } });
    go();
    await h.finished(session, 1);
    await h.say(session, "hi");
    const log = await h.finished(session, 2);
    const answers = log.filter((event) => event.type === "agent.message").map((event) => event.data.text);
    expect(answers).toEqual(["old", "new"]);
  });
});
