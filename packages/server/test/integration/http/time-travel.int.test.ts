import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Page, Session, SessionEvent } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";
import { silentModel } from "../../support/http/silent-model.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await open(options);
  await api.agent();
  return api;
}

describe("time travel", () => {
  it("forks at an event, and leaves the parent alone", async () => {
    const api = await start();
    const parent = await api.session({ title: "P", metadata: { a: "b" }, input: "one" });
    const end = (await api.until(parent.id, "run.finished")).seq;
    await api.say(parent.id, "two");
    await api.harness.finished(parent.id, 2);
    const reply = await api.post(`/sessions/${parent.id}/fork`, { seq: end, title: "F" });
    expect(reply.status).toBe(201);
    const fork = reply.json<Session>();
    expect(fork).toMatchObject({
      title: "F",
      metadata: { a: "b" },
      key: null,
      forkedFrom: { sessionId: parent.id, seq: end },
    });
    const { items } = (await api.get(`/sessions/${fork.id}/events`)).json<Page<SessionEvent>>();
    expect(items.map(({ seq }) => seq)).toEqual(Array.from({ length: end + 1 }, (_, i) => i + 1));
    expect(items.every(({ sessionId }) => sessionId === fork.id)).toBe(true);
    expect(items.at(-1)).toMatchObject({ type: "session.forked", data: { fromSeq: end, owner: "usr_test" } });
    await api.say(fork.id, "three");
    expect(await api.harness.finished(fork.id, 2)).toHaveLength(end + 1 + 6);
    await api.delete(`/sessions/${parent.id}`);
    expect((await api.get(`/sessions/${fork.id}/export`)).text.trim().split("\n")).toHaveLength(end + 7);
  });

  it("ends in the fork the run that goes on in the parent, and only there", async () => {
    const api = await start({
      answer: silentModel,
    });
    const parent = await api.session({ input: "go" });
    await api.until(parent.id, "step.started");
    const fork = (await api.post(`/sessions/${parent.id}/fork`)).json<Session>();
    expect(fork).toMatchObject({ status: "idle", currentRunId: null });
    const log = (await api.get(`/sessions/${fork.id}/events`)).json<Page<SessionEvent>>().items;
    expect(log.slice(-3).map(({ type }) => type)).toEqual([
      "session.forked",
      "step.finished",
      "run.finished",
    ]);
    expect((await api.get(`/runs/${parent.input?.runId}`)).json()).toMatchObject({ status: "running" });
    expect((await api.get(`/sessions/${parent.id}`)).json()).toMatchObject({ status: "running" });
  });

  it("refuses to fork beyond the end", async () => {
    const api = await start();
    const { id } = await api.session();
    expect((await api.post(`/sessions/${id}/fork`, { seq: 99 })).problem()).toMatchObject({
      status: 422,
      code: "seq_not_found",
    });
  });

  it("rewinds to a step boundary and nowhere else", async () => {
    const api = await start();
    const session = await api.session({ input: "one" });
    const end = (await api.until(session.id, "run.finished")).seq;
    await api.say(session.id, "two");
    await api.harness.finished(session.id, 2);
    const refused = await api.post(`/sessions/${session.id}/rewind`, { toSeq: end - 3 });
    expect(refused.problem()).toMatchObject({ status: 409, code: "not_a_safe_point" });
    const { detail, details } = refused.problem();
    const safePoints = details?.["safePoints"] as readonly number[];
    expect(safePoints).toContain(end);
    expect(safePoints).not.toContain(end - 3);
    expect(safePoints.toSorted((a, b) => a - b)).toEqual(safePoints);
    expect(detail).toContain(`at ${safePoints.slice(0, -1).join(", ")}, or ${safePoints.at(-1)}.`);
    const reply = await api.post(`/sessions/${session.id}/rewind`, { toSeq: end });
    expect(reply.status).toBe(200);
    expect((await api.until(session.id, "session.rewound")).data).toMatchObject({
      toSeq: end,
      cause: "rewind",
    });
    await api.say(session.id, "three");
    await api.harness.finished(session.id, 3);
    const undone = await api.post(`/sessions/${session.id}/rewind`, { toSeq: end + 6 });
    expect(undone.problem()).toMatchObject({ status: 409, code: "not_a_safe_point" });
    const places = undone.problem().details?.["safePoints"] as readonly number[];
    expect(places).toHaveLength(5);
    const back = (await api.until(session.id, "session.rewound")).seq;
    expect(places.filter((seq) => seq > end && seq < back)).toEqual([]);
    for (const toSeq of places.toReversed()) {
      expect((await api.post(`/sessions/${session.id}/rewind`, { toSeq })).status).toBe(200);
    }
  });

  it("says that it cannot rewind when the files of that time are missing in the store", async () => {
    const api = await start();
    const session = await api.session();
    const { hash } = await api.harness.context.blobs.put(api.harness.orgId, Buffer.from("1"));
    const write = { type: "file.write", path: "z", hash, size: 1 } as const;
    await api.harness.send(session.id, write);
    await api.say(session.id, "one");
    const end = (await api.until(session.id, "run.finished")).seq;
    await rm(join(api.harness.dataDir, "blobs"), { recursive: true });
    const refused = await api.post(`/sessions/${session.id}/rewind`, { toSeq: end });
    expect(refused.problem()).toMatchObject({ status: 409, code: "restore_failed" });
  });
});
