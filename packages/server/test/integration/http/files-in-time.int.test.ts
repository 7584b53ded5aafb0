import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Session, SessionEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import type { ModelCall } from "../../../src/models/model.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import { type Api, useApi } from "../../support/http/api.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

const open = useApi();

/** Writes its input to the file `note`. */
const write = testTool(
  "write",
  async ({ text: words }, context) => {
    const sandbox = await context.sandbox();
    await sandbox.files.write("note", Buffer.from(String(words)));
    return { ok: true, content: "written" };
  },
  { effect: "idempotent" },
);

/** Calls `write` with the user's words, then answers. */
function writer(call: ModelCall) {
  const said = call.request.messages.findLast((message) => message.role === "user");
  const [part] = said?.content ?? [];
  const words = part !== undefined && "text" in part ? part.text : "";
  return turnOf(call) === 0 ? calls(["write", { text: words }]) : text("ok");
}

async function start(): Promise<{ api: Api; id: string }> {
  const api = await open({ answer: writer, tools: [write] });
  await api.agent({ tools: ["*"] });
  return { api, id: (await api.session()).id };
}

const bytes = { "content-type": "application/octet-stream" };

async function upload(api: Api, id: string, path: string, content: string): Promise<number> {
  expect((await api.put(`/sessions/${id}/files/${path}`, content, { headers: bytes })).status).toBe(200);
  return lastSeq(api, id);
}

async function run(api: Api, id: string, words: string): Promise<number> {
  const ended = (log: readonly SessionEvent[]) => log.filter(({ type }) => type === "run.finished").length;
  const before = ended(await api.harness.log(id));
  await api.say(id, words);
  return (await api.harness.finished(id, before + 1)).at(-1)?.seq ?? 0;
}

async function lastSeq(api: Api, id: string): Promise<number> {
  return (await api.harness.log(id)).at(-1)?.seq ?? 0;
}

async function rewind(api: Api, id: string, toSeq: number): Promise<SessionEvent | undefined> {
  const reply = await api.post(`/sessions/${id}/rewind`, { toSeq });
  expect(reply.status).toBe(200);
  return (await api.harness.log(id)).at(-1);
}

async function fork(api: Api, id: string, seq?: number): Promise<string> {
  const reply = await api.post(`/sessions/${id}/fork`, seq === undefined ? {} : { seq });
  expect(reply.status).toBe(201);
  return reply.json<Session>().id;
}

async function filesOf(api: Api, id: string): Promise<Record<string, string>> {
  const workspace = await api.harness.context.sandboxes.files({ orgId: api.harness.orgId, sessionId: id });
  const found: Record<string, string> = {};
  for (const { path, kind } of (await workspace?.list("", { depth: 5 }))?.items ?? []) {
    if (kind === "file") found[path] = (await api.get(`/sessions/${id}/files/${path}`)).text;
  }
  return found;
}

describe("files that came after the last run", () => {
  it("are in a fork from then on, and those that went are not", async () => {
    const { api, id } = await start();
    const ran = await run(api, id, "one");
    const uploaded = await upload(api, id, "data/in.csv", "1,2");
    await api.post(`/sessions/${id}/files/move`, { path: "note", to: "kept/note" });
    await api.post(`/sessions/${id}/files/move`, { path: "data", to: "raw" });
    const moved = await lastSeq(api, id);
    expect((await api.delete(`/sessions/${id}/files/raw`)).status).toBe(204);
    const expected = [
      [ran, { note: "one" }],
      [uploaded, { note: "one", "data/in.csv": "1,2" }],
      [moved, { "kept/note": "one", "raw/in.csv": "1,2" }],
      [undefined, { "kept/note": "one" }],
    ] as const;
    for (const [seq, files] of expected) {
      const made = await fork(api, id, seq);
      await expect.poll(() => filesOf(api, made)).toEqual(files);
      const log = await api.harness.log(made);
      expect(log.find(({ type }) => type === "session.forked")).toMatchObject({ data: { files: "exact" } });
      // They were not lost, and are what the fork's own past begins with.
      const back = await lastSeq(api, made);
      await upload(api, made, "own", "x");
      await rewind(api, made, back);
      expect(await filesOf(api, made)).toEqual(files);
      expect((await api.harness.log(made)).filter(({ type }) => type === "error")).toEqual([]);
    }
  });

  it("are in a fork of a session that never ran, whose parent is deleted", async () => {
    const { api, id } = await start();
    await upload(api, id, "a", "1");
    await api.harness.worker.stop(0);
    const made = await fork(api, id);
    await api.delete(`/sessions/${id}`);
    const { store } = api.harness.context;
    expect(await store.system.collectBlobs({ ageMs: 0, limit: 100 })).toEqual([]);
    api.harness.worker = new Worker(api.harness.context);
    await api.harness.worker.start();
    await expect.poll(() => filesOf(api, made)).toEqual({ a: "1" });
    expect(await run(api, made, "two")).toBeGreaterThan(0);
    expect(await filesOf(api, made)).toEqual({ a: "1", note: "two" });
  });

  it("are kept by a rewind to after them, and taken away by one to before", async () => {
    const { api, id } = await start();
    const ran = await run(api, id, "one");
    const uploaded = await upload(api, id, "a", "1");
    await upload(api, id, "a", "2");
    await upload(api, id, "note", "by hand");
    await run(api, id, "two");
    expect(await filesOf(api, id)).toEqual({ a: "2", note: "two" });
    expect(await rewind(api, id, uploaded)).toMatchObject({
      type: "session.rewound",
      data: { files: "exact", manifestSeq: ran },
    });
    expect(await filesOf(api, id)).toEqual({ a: "1", note: "one" });
    // What is there now is what the next run's end keeps, and the next rewind knows.
    const again = await run(api, id, "three");
    await upload(api, id, "b", "3");
    await rewind(api, id, again);
    expect(await filesOf(api, id)).toEqual({ a: "1", note: "three" });
    await rewind(api, id, ran);
    expect(await filesOf(api, id)).toEqual({ note: "one" });
  });

  it("are as they were before the first run, and gone at the beginning", async () => {
    const { api, id } = await start();
    const uploaded = await upload(api, id, "a", "1");
    await upload(api, id, "b", "2");
    await run(api, id, "one");
    const exact = { type: "session.rewound", data: { files: "exact", manifest: null } };
    expect(await rewind(api, id, uploaded)).toMatchObject(exact);
    expect(await filesOf(api, id)).toEqual({ a: "1" });
    await upload(api, id, "c", "3");
    expect(await rewind(api, id, 1)).toMatchObject(exact);
    expect(await filesOf(api, id)).toEqual({});
  });

  it("stay, and the event says so, where nothing tells what tools had made of them", async () => {
    const { api, id } = await start();
    await upload(api, id, "a", "1");
    await run(api, id, "one");
    const log = await api.harness.log(id);
    const inRun = log.find(({ type }) => type === "agent.tool_result")?.seq ?? 0;
    await upload(api, id, "b", "2");
    expect(await rewind(api, id, inRun)).toMatchObject({ data: { files: "left", manifest: null } });
    expect(await filesOf(api, id)).toEqual({ a: "1", b: "2", note: "one" });
    const made = await fork(api, id);
    await expect.poll(() => filesOf(api, made)).toEqual({ a: "1" });
    expect((await api.harness.log(made)).at(-1)).toMatchObject({ data: { files: "earlier" } });
  });
});

describe("a workspace that was lost", () => {
  it("begins anew with what was kept and uploaded since, and the log says so", async () => {
    const { api, id } = await start();
    const ran = await run(api, id, "one");
    await upload(api, id, "a", "1");
    const lose = async () => {
      await api.harness.worker.stop(0);
      await rm(join(api.harness.dataDir, "workspaces"), { recursive: true });
      await mkdir(join(api.harness.dataDir, "workspaces"));
      api.harness.worker = new Worker(api.harness.context);
      await api.harness.worker.start();
    };
    await lose();
    await upload(api, id, "b", "2");
    expect(await filesOf(api, id)).toEqual({ a: "1", b: "2", note: "one" });
    const told = { type: "error", data: { code: "workspace_lost", retryable: false } };
    const [error, upl] = (await api.harness.log(id)).slice(-2);
    expect(error).toMatchObject(told);
    expect(error?.data).toMatchObject({ message: expect.stringContaining(`event ${ran}`) as string });
    expect(upl).toMatchObject({ type: "file.changed" });
    await lose();
    await run(api, id, "two");
    expect(await filesOf(api, id)).toEqual({ a: "1", b: "2", note: "two" });
    const errors = (await api.harness.log(id)).filter(({ type }) => type === "error");
    expect(errors).toHaveLength(2);
    await run(api, id, "three");
    expect((await api.harness.log(id)).filter(({ type }) => type === "error")).toHaveLength(2);
  });
});
