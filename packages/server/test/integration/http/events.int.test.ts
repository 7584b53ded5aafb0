import { createHash } from "node:crypto";
import type { Page, Run, SendReply, SessionEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";
import { silentModel } from "../../support/http/silent-model.ts";
import { text } from "../../support/runtime/scripted-client.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await open(options);
  await api.agent();
  return api;
}

const stuck: ApiOptions = { answer: silentModel };

describe("sending", () => {
  it("answers with each input's place, and the log takes them in their order", async () => {
    const api = await start();
    const { id } = await api.session();
    const contents = ["one", "two", "three"];
    const events = contents.map((content) => ({ type: "user.message", content }));
    const reply = await api.post(`/sessions/${id}/events`, { events });
    expect(reply.status).toBe(202);
    const { inputs } = reply.json<SendReply>();
    expect(inputs.map(({ position }) => position)).toEqual([0, 1, 2]);
    const log = await api.harness.finished(id, 3);
    const messages = log.filter((event) => event.type === "user.message");
    expect(messages.map(({ data }) => data.content)).toEqual(contents);
    expect(messages.map(({ inputId }) => inputId)).toEqual(inputs.map((input) => input.id));
    expect(messages.map(({ runId }) => runId)).toEqual(inputs.map(({ runId }) => runId));
  });

  it("takes an input with the same clientId once", async () => {
    const api = await start();
    const { id } = await api.session();
    const first = await api.say(id, "hi", { clientId: "c1" });
    expect(await api.say(id, "hi", { clientId: "c1" })).toEqual(first);
    await api.harness.finished(id);
    expect(await api.say(id, "hi", { clientId: "c1" })).toEqual(first);
  });

  it("refuses at once when the session is busy and the caller wants that", async () => {
    const api = await start(stuck);
    const { id } = await api.session({ input: "go" });
    await api.until(id, "step.started");
    const events = [{ type: "user.message", content: "now?", onBusy: "reject" }];
    const reply = await api.post(`/sessions/${id}/events`, { events });
    expect(reply.problem()).toMatchObject({ status: 409, code: "session_busy", retryable: true });
  });

  it.each([
    ["steer", "steer"],
    ["interrupt", "control"],
    ["rollback", "control"],
    ["enqueue", "queue"],
  ])("puts a message with onBusy %s into the lane %s", async (onBusy, lane) => {
    const api = await start();
    await api.harness.worker.stop(0);
    const { id } = await api.session();
    const { inputs } = await api.say(id, "hi", { onBusy });
    const waiting = await api.operations.store.session(api.harness.orgId, id).mailbox();
    expect(waiting).toMatchObject([{ id: inputs[0]?.id, lane, runId: inputs[0]?.runId }]);
    expect(inputs[0]?.runId).toMatch(/^run_/);
  });

  it("moves big images to the blob store before it accepts them, and leaves small ones", async () => {
    const api = await start();
    await api.harness.worker.stop(0);
    const { id } = await api.session();
    const bytes = Buffer.alloc(100_000, 7);
    const image = { type: "image", mediaType: "image/png" };
    const big = { ...image, data: bytes.toString("base64") };
    const small = { ...image, data: Buffer.alloc(100).toString("base64") };
    await api.post(`/sessions/${id}/events`, { events: [{ type: "user.message", content: [big, small] }] });
    const hash = createHash("sha256").update(bytes).digest("hex");
    const [waiting] = await api.operations.store.session(api.harness.orgId, id).mailbox();
    const blob = { hash, size: 100_000, mediaType: "image/png" };
    expect(waiting?.body).toMatchObject({ content: [{ ...image, blob }, small] });
    expect(waiting?.body).not.toHaveProperty("content.0.data");
    expect(await api.operations.blobs.get(api.harness.orgId, hash)).toEqual(new Uint8Array(bytes));
    const known = await api.say(id, "", { content: [{ ...image, blob }] });
    expect(known.inputs).toHaveLength(1);
    const unknown = { ...image, blob: { hash: "0".repeat(64), size: 1 } };
    const events = [{ type: "user.message", content: [unknown] }];
    expect((await api.post(`/sessions/${id}/events`, { events })).problem().code).toBe("unknown_blob");
  });

  it("says when the mailbox is full", async () => {
    const api = await start({ operations: { mailboxLimit: 2 } });
    await api.harness.worker.stop(0);
    const { id } = await api.session();
    await api.say(id, "1");
    await api.say(id, "2");
    const reply = await api.post(`/sessions/${id}/events`, {
      events: [{ type: "system.message", content: "3" }],
    });
    expect(reply.problem()).toMatchObject({ status: 429, code: "mailbox_full", retryable: true });
    expect(reply.headers.get("retry-after")).toBe("1");
  });

  it("refuses a tool's result that is too long", async () => {
    const api = await start({ operations: { toolResultBytes: 10 } });
    const { id } = await api.session();
    const events = [
      { type: "user.tool_result", toolUseId: "tlu_00000000000000000000000000", content: "x".repeat(11) },
    ];
    const reply = await api.post(`/sessions/${id}/events`, { events });
    expect(reply.problem()).toMatchObject({ status: 413, code: "tool_result_too_large" });
  });
});

describe("reading the log", () => {
  it("pages, filters and goes on from a cursor or a seq", async () => {
    const api = await start();
    const { id } = await api.session({ input: "hi" });
    const log = await api.harness.finished(id);
    const read = async (query: string) =>
      (await api.get(`/sessions/${id}/events${query}`)).json<Page<SessionEvent>>();
    const first = await read("?limit=3");
    expect(first).toEqual({ items: log.slice(0, 3), next: "1.3" });
    expect(await read(`?after=${first.next}`)).toEqual({ items: log.slice(3), next: null });
    expect((await read("?after=3")).items).toEqual(log.slice(3));
    expect((await read("?types=run.started,run.finished")).items.map(({ type }) => type)).toEqual([
      "run.started",
      "run.finished",
    ]);
    expect((await read("?types=run.started&types=run.finished")).items).toHaveLength(2);
    expect((await read("?channel=control")).items).toEqual([]);
    expect((await read("?channel=progress,monitor")).items).toEqual(log);
    expect((await read("?namespace=")).items).toEqual(log);
    expect((await read("?namespace=other")).items).toEqual([]);
    const ahead = await api.get(`/sessions/${id}/events?after=1.999`);
    expect(ahead.problem()).toMatchObject({ status: 409, code: "cursor_invalid" });
    expect((await api.get(`/sessions/${id}/events?after=2.1`)).problem().code).toBe("cursor_invalid");
  });
});

describe("runs", () => {
  it("are listed and found", async () => {
    const api = await start();
    const session = await api.session({ input: "hi" });
    await api.until(session.id, "run.finished");
    const runId = session.input?.runId ?? "";
    const run = (await api.get(`/runs/${runId}`)).json<Run>();
    expect(run).toMatchObject({ id: runId, status: "completed", reason: "end_turn", steps: 1 });
    expect((await api.get(`/sessions/${session.id}/runs`)).json()).toEqual({ items: [run], next: null });
    expect((await api.get(`/runs?sessionId=${session.id}&status=completed`)).json()).toEqual({
      items: [run],
      next: null,
    });
    expect((await api.get("/runs?status=failed")).json()).toEqual({ items: [], next: null });
  });

  it("are cancelled by their session or by themselves", async () => {
    const api = await start(stuck);
    const session = await api.session({ input: "one" });
    await api.until(session.id, "step.started");
    const second = await api.say(session.id, "two");
    const runId = second.inputs[0]?.runId ?? "";
    expect((await api.post(`/runs/${runId}/cancel`)).json()).toMatchObject({
      id: runId,
      status: "cancelled",
    });
    const reply = await api.post(`/sessions/${session.id}/cancel`, { reason: "enough" });
    expect(reply.status).toBe(200);
    expect(await api.until(session.id, "run.finished")).toMatchObject({ data: { reason: "interrupted" } });
    expect((await api.until(session.id, "user.interrupt")).data).toEqual({ reason: "enough" });
    const again = await api.post(`/runs/${runId}/cancel`, {});
    expect(again.problem()).toMatchObject({ status: 409, code: "run_not_running" });
  });

  it("are tried again, the last one only", async () => {
    let failing = true;
    const error = { code: "invalid_request", message: "no", retryable: false } as const;
    const api = await start({ answer: () => (failing ? [{ type: "error", error }] : text("now it works")) });
    const session = await api.session({ input: "hi" });
    const failed = await api.until(session.id, "run.finished");
    expect(failed.data.reason).toBe("error");
    failing = false;
    const reply = await api.post(`/runs/${failed.runId}/retry`, { limits: { maxSteps: 7 } });
    expect(reply.status).toBe(202);
    const retried = reply.json<SendReply>().inputs[0]?.runId;
    await api.harness.finished(session.id, 2);
    expect((await api.get(`/runs/${retried}`)).json()).toMatchObject({ status: "completed" });
    expect((await api.until(session.id, "run.started")).data.limits.maxSteps).toBe(7);
    const old = await api.post(`/runs/${failed.runId}/retry`);
    expect(old.problem()).toMatchObject({ status: 409, code: "not_the_last_run" });
  });
});
