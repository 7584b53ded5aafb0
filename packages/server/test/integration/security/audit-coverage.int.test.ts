import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { endpoints } from "../../../src/http/routes.ts";
import { newId } from "../../../src/lib/id.ts";
import { askAndLook, entriesOf } from "../../support/security/audited.ts";
import { maker } from "../../support/security/things.ts";
import { useTwoOrgs } from "../../support/security/world.ts";
import { audited } from "./audited.ts";
import { rows } from "./rows/all.ts";

const all = endpoints.flatMap((endpoint) => {
  const told = audited[endpoint.id];
  const row = rows[endpoint.id];
  return told === undefined || row === undefined ? [] : [{ id: endpoint.id, endpoint, row, told }];
});
const telling = all.flatMap(({ told, ...rest }) =>
  typeof told === "string" ? [] : [{ ...rest, audited: told }],
);
const silent = all.filter(({ told }) => typeof told === "string");

describe("AUD-03: the audit log", { timeout: 60_000 }, () => {
  const env = { BERTH_LOGIN_ATTEMPTS: "1000" };
  const world = useTwoOrgs({ env });

  it("knows of every endpoint what it is told, and of no other", () => {
    expect(Object.keys(audited).toSorted()).toEqual(endpoints.map(({ id }) => id).toSorted());
  });

  it.each(silent)("is told nothing by $id", async ({ endpoint, row }) => {
    const { entries } = await askAndLook(world(), { endpoint, row, audited: null });
    // A thing that is not there is a refused access; it is no change.
    expect(entries.filter(({ action }) => action !== "access.refused")).toEqual([]);
  });

  it.each(telling)("gets exactly one entry of $id", async (endpoint) => {
    const { seen, entries } = await askAndLook(world(), endpoint);
    expect([seen.status < 300, seen.status, seen.code]).toEqual([true, seen.status, ""]);
    expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([
      [endpoint.audited.action, "done"],
    ]);
    expect(entries[0]).toMatchObject({
      address: "127.0.0.1",
      actor: { id: expect.stringMatching(/^(usr|sva)_/) },
    });
  });

  it("gets one entry of what only sometimes is more than the session's own log tells", async () => {
    const { a, call } = world();
    const { owner, member } = a.people;
    const make = maker(call, owner.key);
    const told = async (method: string, path: string, body: unknown) => {
      const requestId = newId("request");
      const headers = { "x-request-id": requestId };
      const { status } = await call(owner.key, { method, path: `/api/v1${path}`, body, headers });
      return [status, ...(await entriesOf(world(), requestId)).map(({ action }) => action)];
    };
    const { id } = await make("POST", "/sessions", { agent: "helper" });
    expect(await told("PATCH", `/sessions/${id}`, { title: "new" })).toEqual([200]);
    expect(await told("PATCH", `/sessions/${id}`, { archived: true })).toEqual([200, "session.archived"]);
    expect(await told("PATCH", `/sessions/${id}`, { archived: false })).toEqual([200, "session.unarchived"]);
    expect(await told("POST", "/sessions", { agent: "helper", owner: member.id })).toEqual([
      201,
      "session.acted_as",
    ]);
    const { items } = JSON.parse(
      (await call(member.key, { method: "GET", path: "/api/v1/approvals?status=pending" })).text,
    ) as { items: { id: string; sessionId: string }[] };
    const { id: approvalId = "", sessionId = "" } = items[0] ?? {};
    const events = [{ type: "user.approval", approvalId, decision: "deny" }];
    expect(await told("POST", `/sessions/${sessionId}/events`, { events })).toEqual([
      202,
      "approval.decided",
    ]);
  });

  it("seals what was written", async () => {
    const { a, call } = world();
    const body = { name: "sealed-soon", model: "test/model" };
    const requestId = newId("request");
    const headers = { "x-request-id": requestId };
    await call(a.people.owner.key, { method: "POST", path: "/api/v1/agents", body, headers });
    await expect
      .poll(() => entriesOf(world(), requestId))
      .toMatchObject([{ action: "agent.created", seal: expect.anything() }]);
    const verified = await call(a.people.owner.key, {
      method: "POST",
      path: "/api/v1/audit-log/verify",
      body: {},
    });
    expect(JSON.parse(verified.text)).toMatchObject({ ok: true, firstBad: null });
  });

  it("fails the request when the entry cannot be written, and the change with it", async () => {
    const { a, call, store } = world();
    const agents = async () => (await store.org(a.orgId).listAgents({ limit: 200 })).items.length;
    const before = await agents();
    const db = new DatabaseSync(join(world().dataDir, "berth.db"), { timeout: 5_000 });
    db.exec("CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END");
    const body = { name: "never", model: "test/model" };
    const made = await call(a.people.owner.key, { method: "POST", path: "/api/v1/agents", body });
    const refused = await call(a.people.viewer.key, { method: "GET", path: "/api/v1/audit-log" });
    db.exec("DROP TRIGGER broken");
    db.close();
    expect([made.status, refused.status, await agents()]).toEqual([500, 500, before]);
  });
});
