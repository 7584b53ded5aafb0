import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { SessionEvent } from "@berth/contract";
import { afterEach, describe, expect, it } from "vitest";
import type { ModelCall } from "../../../src/models/model.ts";
import { silentTelemetry } from "../../../src/telemetry/telemetry.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

/** Runs a command, to its end or in the background. */
const shell = testTool(
  "shell",
  async ({ command, background }, context) => {
    const sandbox = await context.sandbox();
    if (background === true) await sandbox.spawn({ command: String(command) });
    else await sandbox.exec({ command: String(command), timeoutMs: 20_000 });
    return { ok: true, content: "done" };
  },
  { effect: "once" },
);

/** Ends when it is told to. */
const wait = testTool(
  "wait",
  (_, { signal }) =>
    new Promise((resolve) => {
      const ended = { ok: false, errorType: "aborted", message: "aborted" } as const;
      signal.addEventListener("abort", () => resolve(ended), { once: true });
    }),
);

/** The user's words are the command; those that begin with `hold ` are followed by waiting, those with `& ` go on by themselves. */
function obey(call: ModelCall) {
  const [part] = call.request.messages.findLast((message) => message.role === "user")?.content ?? [];
  const words = part !== undefined && "text" in part ? part.text : "";
  const command = words.replace(/^(hold|&) /, "");
  if (turnOf(call) === 0) return calls(["shell", { command, background: words.startsWith("& ") }]);
  return turnOf(call) === 1 && words.startsWith("hold ") ? calls(["wait", {}]) : text("ok");
}

async function open(overrides: HarnessOptions["overrides"] = {}): Promise<{ h: Harness; session: string }> {
  harness = await Harness.open({ answer: obey, tools: [shell, wait], overrides });
  return { h: harness, session: await harness.session(await harness.agent({ tools: ["*"] })) };
}

async function run(h: Harness, session: string, runs: number, command: string): Promise<number> {
  await h.say(session, command);
  return (await h.finished(session, runs)).at(-1)?.seq ?? 0;
}

/** The event that answers an input. */
async function answerTo(
  h: Harness,
  session: string,
  body: Parameters<Harness["send"]>[1],
): Promise<SessionEvent> {
  const { id } = await h.send(session, body, "control");
  const log = await h.until(session, (events) => events.some((event) => event.inputId === id));
  const found = log.find((event) => event.inputId === id);
  if (found === undefined) throw new Error("no answer");
  return found;
}

async function filesOf(h: Harness, session: string): Promise<Record<string, string>> {
  const workspace = await h.context.sandboxes.files({ orgId: h.orgId, sessionId: session });
  if (workspace === null) return {};
  const found: Record<string, string> = {};
  const { items } = await workspace.list("", { depth: 5 });
  for (const { path, kind } of items) {
    if (kind === "file") found[path] = Buffer.from(await workspace.read(path)).toString("utf8");
  }
  return found;
}

/** Waits until a call of the tool `wait` is under way. */
async function held(h: Harness, session: string): Promise<void> {
  await h.until(session, (events) =>
    events.some((event) => event.type === "agent.tool_use" && event.data.name === "wait"),
  );
}

const blobsGone = (h: Harness) => rm(join(h.dataDir, "blobs"), { recursive: true });

describe("a restore", () => {
  it("puts a file back where a folder stands now, and a folder where a file or a link stands", async () => {
    const { h, session } = await open();
    const toSeq = await run(h, session, 1, "echo 1 > z; mkdir -p a/b c; echo 2 > a/b/f; echo 3 > c/f");
    await run(
      h,
      session,
      2,
      "echo w > work.txt; rm -r z a c; mkdir -p z/in; echo 4 > z/in/f; echo 5 > a; ln -s z c",
    );
    expect(await answerTo(h, session, { type: "session.rewind", toSeq })).toMatchObject({
      type: "session.rewound",
    });
    expect(await filesOf(h, session)).toEqual({ z: "1\n", "a/b/f": "2\n", "c/f": "3\n" });
  });

  it("ends the background processes of what is undone", async () => {
    const { h, session } = await open();
    const toSeq = await run(h, session, 1, "echo 1 > z");
    await run(h, session, 2, "& while true; do echo 2 > z; echo 3 > late; sleep 0.01; done");
    const spec = { orgId: h.orgId, sessionId: session };
    const before = await h.context.sandboxes.connect(spec);
    expect((await before.processes())[0]?.running).toBe(true);
    await answerTo(h, session, { type: "session.rewind", toSeq });
    expect((await before.processes())[0]?.running).toBe(false);
    expect(await filesOf(h, session)).toEqual({ z: "1\n" });
    await run(h, session, 3, "echo 4 > z");
    expect(await filesOf(h, session)).toEqual({ z: "4\n" });
  });
});

describe("a restore that cannot be done", () => {
  it("refuses the rewind, removes nothing and leaves the run alone", async () => {
    const { h, session } = await open();
    const toSeq = await run(h, session, 1, "echo 1 > z");
    await h.say(session, "hold echo w > work.txt");
    await held(h, session);
    await blobsGone(h);
    expect(await answerTo(h, session, { type: "session.rewind", toSeq })).toMatchObject({
      type: "input.refused",
      data: { code: "restore_failed", message: expect.stringContaining("missing or damaged") as string },
    });
    expect(await filesOf(h, session)).toEqual({ z: "1\n", "work.txt": "w\n" });
    const log = await h.log(session);
    expect(log.filter((event) => event.type === "run.finished")).toHaveLength(1);
    expect(log.some((event) => event.type === "session.resumed")).toBe(false);
  });

  it("refuses the message of a rollback, and the run goes on", async () => {
    const { h, session } = await open();
    await run(h, session, 1, "echo 1 > z");
    await h.say(session, "hold echo w > work.txt");
    await held(h, session);
    await blobsGone(h);
    const message = { type: "user.message", content: "echo 3 > z", onBusy: "rollback" } as const;
    expect(await answerTo(h, session, message)).toMatchObject({
      type: "input.refused",
      data: { code: "restore_failed" },
    });
    expect((await h.log(session)).filter((event) => event.type === "run.finished")).toHaveLength(1);
    await answerTo(h, session, { type: "user.interrupt" });
    expect((await h.finished(session, 2)).at(-1)).toMatchObject({ data: { reason: "interrupted" } });
  });
});

describe("a workspace that is too large to be kept", () => {
  it("does not hold up a cancel", async () => {
    const told: unknown[] = [];
    const unexpectedError = ({ where, error }: { readonly where: string; readonly error: unknown }) => {
      if (where === "manifest") told.push(error);
    };
    const { h, session } = await open({ telemetry: { ...silentTelemetry(), unexpectedError } });
    await h.say(session, "hold for i in $(seq 60); do truncate -s 32M f$i; done");
    await held(h, session);
    await h.send(session, { type: "user.interrupt" }, "control");
    const log = await h.finished(session);
    // Nothing of it was read: whoever begins to read stops for the time that it takes.
    expect(told).toMatchObject([{ message: expect.stringContaining("are kept at most") as string }]);
    expect(log.at(-1)).toMatchObject({ data: { reason: "interrupted" } });
  });
});
