import type { ServerResponse } from "node:http";
import type { StreamEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { finished, logged, runId, sessionId, sseOf } from "../../test/support/events.ts";
import { type Seen, sendJson, startServer, startSse } from "../../test/support/http-server.ts";
import { createClient } from "../client.ts";
import { BerthInputRefusedError } from "../error.ts";

const inputId = "inp_00000000000000000000000001";
const otherRun = "run_00000000000000000000000002";
const user = (seq: number, extra = {}) =>
  logged(seq, "user.message", { content: "hi", runId }, { inputId, ...extra });
const said = (seq: number, text: string, messageId = "msg_1", extra = {}) =>
  logged(seq, "agent.message", { messageId, blockId: seq, text }, extra);
const asked = (seq: number) =>
  logged(seq, "input.requested", { toolUseId: "tlu_1", name: "add", input: { a: 1 }, expiresAt: "x" });
const called = (seq: number) =>
  logged(seq, "agent.tool_use", {
    toolUseId: "tlu_1",
    messageId: "msg_1",
    blockId: 9,
    name: "add",
    input: { a: 1 },
    inputHash: "0",
    kind: "client",
    effect: "once",
    permission: "allow",
  });
const answered = (seq: number) =>
  logged(seq, "agent.tool_result", { toolUseId: "tlu_1", name: "add", ok: true, content: "3" });
const approval = (seq: number) =>
  logged(seq, "approval.requested", {
    approvalId: "apr_1",
    toolUseId: "tlu_1",
    name: "bash_run",
    input: { command: "ls" },
    inputHash: "0",
    expiresAt: "x",
    path: [],
  });
const decided = (seq: number) =>
  logged(seq, "approval.decided", { approvalId: "apr_1", toolUseId: "tlu_1", decision: "allow" });

/** A session with `before` in its log; a message adds `after`, and each further input the next of `more`. */
async function startSession(log: { before?: StreamEvent[]; after: StreamEvent[]; more?: StreamEvent[][] }) {
  const events = [...(log.before ?? [])];
  const more = [...(log.more ?? [])];
  const followers = new Set<ServerResponse>();
  const add = (added: StreamEvent[]) => {
    events.push(...added);
    for (const one of followers) one.write(added.map((event) => sseOf(event)).join(""));
  };
  const sent: unknown[] = [];
  const server = await startServer((request: Seen, response) => {
    if (request.path.endsWith("/events/stream")) {
      startSse(response);
      const after = Number(String(request.headers["last-event-id"] ?? "1.0").split(".")[1]);
      response.write(
        events
          .filter((event) => "seq" in event && event.seq > after)
          .map((event) => sseOf(event))
          .join(""),
      );
      followers.add(response);
    } else if (request.method === "GET") {
      sendJson(response, 200, { generation: 1, lastSeq: events.length });
    } else {
      const isMessage = JSON.stringify(request.body).includes("user.message");
      sent.push([request.path.replace(`/api/v1/sessions/${sessionId}`, ""), request.body]);
      sendJson(response, 202, { inputs: [{ id: inputId, position: 0, runId }] });
      add(isMessage ? log.after : (more.shift() ?? []));
    }
  });
  return { server, sent, session: createClient({ baseUrl: server.url, retries: 0 }).session(sessionId) };
}

describe("asking", () => {
  it("gives the last message, the run and the tool calls of this run alone", async () => {
    const { server, session } = await startSession({
      before: [user(1, { inputId: "inp_0" }), said(2, "old"), finished(3)],
      after: [
        user(4),
        said(5, "first", "msg_2"),
        called(6),
        answered(7),
        said(8, "the ", "msg_3"),
        said(9, "sub-agent's", "msg_4", { namespace: "helper-1" }),
        said(10, "answer", "msg_3"),
        said(11, "another run's", "msg_9", { runId: otherRun }),
        finished(12),
      ],
    });
    await using _ = server;
    const result = await session.ask("hi");
    expect(result).toMatchObject({
      sessionId,
      text: "the answer",
      run: {
        id: runId,
        status: "completed",
        reason: "end_turn",
        cost: 0.5,
        steps: 1,
        durationMs: 7,
        error: null,
        recovery: [],
      },
      toolCalls: [
        { toolUseId: "tlu_1", name: "add", input: { a: 1 }, ok: true, content: "3", namespace: "" },
      ],
    });
  });

  it("joins the run that a steering message went to", async () => {
    const { server, session } = await startSession({
      after: [
        user(1, { runId: otherRun }),
        said(2, "steered", "msg_1", { runId: otherRun }),
        { ...finished(3), runId: otherRun },
      ],
    });
    await using _ = server;
    expect(await session.ask("hi", { onBusy: "steer" })).toMatchObject({
      text: "steered",
      run: { id: otherRun },
    });
  });

  it("says why a message was refused", async () => {
    const refused = logged(
      1,
      "input.refused",
      { code: "cancelled", message: "It was cancelled.", inputType: "user.message" },
      { inputId },
    );
    const { server, session } = await startSession({ after: [refused] });
    await using _ = server;
    await expect(session.ask("hi")).rejects.toThrow(BerthInputRefusedError);
  });

  it("with a key of one's own finds a run that is long over", async () => {
    const { server, session } = await startSession({
      before: [user(1), said(2, "done before"), finished(3)],
      after: [],
    });
    await using _ = server;
    expect(await session.ask("hi", { idempotencyKey: "mine" })).toMatchObject({ text: "done before" });
  });

  it("stops watching when its signal aborts", async () => {
    const stop = new AbortController();
    const { server, session } = await startSession({ after: [user(1)] });
    await using _ = server;
    const onEvent = () => stop.abort(new Error("enough"));
    await expect(session.ask("hi", { signal: stop.signal, onEvent })).rejects.toThrow("enough");
  });
});

describe("a run's questions", () => {
  it("are answered by the tools that run here", async () => {
    const { server, session, sent } = await startSession({
      after: [user(1), called(2), asked(3)],
      more: [[answered(4), said(5, "three"), finished(6)]],
    });
    await using _ = server;
    const result = await session.run({
      text: "hi",
      tools: { add: async (input) => ({ sum: (input as { a: number }).a + 2 }) },
    });
    expect(result.text).toBe("three");
    const event = {
      type: "user.tool_result",
      clientId: "result:tlu_1",
      toolUseId: "tlu_1",
      content: '{"sum":3}',
      ok: true,
    };
    expect(sent[1]).toEqual(["/events", { events: [event] }]);
  });

  it("are answered with the error of a tool that fails", async () => {
    const { server, session, sent } = await startSession({
      after: [user(1), called(2), asked(3)],
      more: [[answered(4), finished(5)]],
    });
    await using _ = server;
    await session.run({ text: "hi", tools: { add: () => Promise.reject(new Error("no numbers")) } });
    expect(sent[1]).toMatchObject(["/events", { events: [{ content: "no numbers", ok: false }] }]);
  });

  it("for an approval are decided, with the exact arguments at hand", async () => {
    const { server, session, sent } = await startSession({
      after: [user(1), approval(2)],
      more: [[decided(3), finished(4)]],
    });
    await using _ = server;
    await session.run({
      text: "hi",
      onApproval: async ({ input }) =>
        JSON.stringify(input) === '{"command":"ls"}' ? { decision: "allow" } : { decision: "deny" },
    });
    expect(sent[1]).toEqual(["/api/v1/approvals/apr_1", { decision: "allow" }]);
  });

  it("are not asked again when a run is joined in which they were answered", async () => {
    const { server, session, sent } = await startSession({
      before: [user(1), approval(2), decided(3), called(4), asked(5)],
      after: [],
      more: [[answered(6), finished(7)]],
    });
    await using _ = server;
    const onApproval = () => Promise.reject(new Error("asked again"));
    await session.join(runId, { onApproval, tools: { add: async () => "3" } });
    expect(sent).toHaveLength(1);
  });

  it("tell their handler when somebody else was faster", async () => {
    const { server, session, sent } = await startSession({
      after: [user(1), approval(2), decided(3), finished(4)],
    });
    await using _ = server;
    let aborted = false;
    await session.run({
      text: "hi",
      onApproval: (_request, { signal }) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => {
            aborted = true;
            resolve({ decision: "deny" });
          }),
        ),
    });
    expect([aborted, sent.length]).toEqual([true, 1]);
  });

  it("end the watching when their answer cannot be sent", async () => {
    await using server = await startServer((request, response) => {
      if (request.path.endsWith("/events/stream")) {
        startSse(response);
        response.write([user(1), approval(2)].map((event) => sseOf(event)).join(""));
      } else if (request.path.includes("/approvals/"))
        sendJson(response, 403, { code: "forbidden", detail: "You may not decide." });
      else if (request.method === "GET") sendJson(response, 200, { generation: 1, lastSeq: 0 });
      else sendJson(response, 202, { inputs: [{ id: inputId, position: 0, runId }] });
    });
    const session = createClient({ baseUrl: server.url }).session(sessionId);
    await expect(
      session.run({ text: "hi", onApproval: async () => ({ decision: "allow" }) }),
    ).rejects.toThrow("You may not decide.");
  });
});
