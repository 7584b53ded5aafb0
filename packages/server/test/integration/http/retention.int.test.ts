import { expect, it } from "vitest";
import { keepRetention } from "../../../src/operations/keep-retention.ts";
import { type Api, useApi } from "../../support/http/api.ts";

const start = useApi();
const day = 24 * 3_600_000;
const signal = new AbortController().signal;

/** What a round of the job does so many days from now. */
function after(api: Api, days: number, retention: object): Promise<number | null> {
  const { operations, harness } = api;
  const clock = { ...operations.clock, now: () => Date.now() + days * day };
  const settings = { retention };
  return keepRetention({ ...operations, clock }, { orgId: harness.orgId, settings, signal });
}

const audited = async ({ operations, harness }: Api) =>
  (await operations.store.org(harness.orgId).audit.list({ limit: 10, action: "session.deleted" })).items;

it("deletes the sessions that nobody has used for so long, each with its entry in the audit log", async () => {
  const api = await start();
  await api.agent();
  const [idle, archived] = [await api.session(), await api.session()];
  await api.patch(`/sessions/${archived.id}`, { archived: true });
  await api.put(`/sessions/${idle.id}/files/notes.txt`, new TextEncoder().encode("noted"));
  expect(await after(api, 29, { sessionsDays: 30 })).toBeNull();
  expect((await api.get(`/sessions/${idle.id}`)).status).toBe(200);
  await after(api, 31, { sessionsDays: 30 });
  for (const { id } of [idle, archived])
    expect((await api.get(`/sessions/${id}`)).problem().code).toBe("session_not_found");
  const entries = await audited(api);
  expect(new Set(entries.map(({ target }) => target?.id))).toEqual(new Set([idle.id, archived.id]));
  expect(entries[0]).toMatchObject({
    actor: { type: "system", id: "retention" },
    details: { why: "retention" },
  });
  const spec = { orgId: api.harness.orgId, sessionId: idle.id };
  expect(await api.operations.sandboxes.files(spec)).toBeNull();
});

it("keeps everything that no setting names, and records of calls apart from sessions", async () => {
  const api = await start();
  await api.agent();
  const session = await api.session({ input: "hello" });
  await api.until(session.id, "run.finished");
  const { data } = api.operations.store.org(api.harness.orgId);
  const calls = async () =>
    (await data.exportRows({ part: "usage_ledger", userId: null, after: null, limit: 10 })).rows.length;
  expect(await calls()).toBe(1);
  expect(await after(api, 1_000, {})).toBeNull();
  expect(await calls()).toBe(1);
  expect(await after(api, 1_000, { usageDays: 90, auditDays: 365 })).toBe(365);
  expect(await calls()).toBe(0);
  expect((await api.get(`/sessions/${session.id}`)).status).toBe(200);
  expect(await audited(api)).toEqual([]);
});
