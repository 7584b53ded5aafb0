import { describe, expect, it } from "vitest";
import { endpoints } from "../../../src/http/routes.ts";
import { newId } from "../../../src/lib/id.ts";
import { ask, forNobody, requestFor, targetOf, withoutIds } from "../../support/security/ask-endpoint.ts";
import type { Ask } from "../../support/security/call.ts";
import { maker } from "../../support/security/things.ts";
import { useTwoOrgs } from "../../support/security/world.ts";
import { rows } from "./rows/all.ts";

const ofSessions = endpoints.flatMap((endpoint) => {
  const row = rows[endpoint.id];
  const named = ["{sessionId}", "{runId}", "{approvalId}"].some((name) => endpoint.path.includes(name));
  return row !== undefined && named ? [{ id: endpoint.id, endpoint, row }] : [];
});

interface Session {
  readonly id: string;
  readonly owner: string;
  readonly visibility: string;
  readonly forkedFrom: { sessionId: string } | null;
}

describe("sessions of others in one's own organization", { timeout: 30_000 }, () => {
  const world = useTwoOrgs();
  const get = (key: string, path: string) => world().call(key, { method: "GET", path: `/api/v1${path}` });
  const send = (key: string, method: string, path: string, body?: unknown) => {
    const request: Ask = { method, path: `/api/v1${path}`, ...(body !== undefined && { body }) };
    return world().call(key, request);
  };
  const idsOf = async (key: string, path: string) => {
    const { items } = JSON.parse((await get(key, path)).text) as { items: { id: string }[] };
    return items.map(({ id }) => id);
  };
  const create = async (key: string, body: object = {}) =>
    (await maker(world().call, key)("POST", "/sessions", { agent: "helper", ...body })) as unknown as Session;
  const audited = async (action: string) => {
    const { people } = world().a;
    const { text } = await get(people.owner.key, `/audit-log?action=${action}&limit=200`);
    return (
      JSON.parse(text) as { items: { actor: { id: string }; target: { id: string }; details: object }[] }
    ).items;
  };

  it.each(ofSessions)("API-01: $id says of a private one what it says of none", async ({ endpoint, row }) => {
    const { a } = world();
    const { things, service, people } = a;
    const given = await requestFor(row, targetOf(world(), a));
    const own: Record<string, string> = {
      sessionId: things.privateSessionId,
      runId: things.privateRunId,
      approvalId: things.privateApprovalId,
    };
    const params = Object.fromEntries(
      Object.entries(given.params ?? {}).map(([name, value]) => [name, own[name] ?? value]),
    );
    const theirs = { ...given, params };
    const nobodys = forNobody(theirs);
    for (const { key } of [service, people.viewer]) {
      const seen = await ask(world(), endpoint, { key, given: theirs });
      const none = await ask(world(), endpoint, { key, given: nobodys.given });
      expect(withoutIds(seen)).toBe(withoutIds(none));
      expect([403, 404]).toContain(seen.status);
    }
  });

  it("API-01: are in no list but of their owner and of who may manage them", async () => {
    const { people, service, things } = world().a;
    const lists = {
      "/sessions?limit=200": things.privateSessionId,
      "/runs?limit=200": things.privateRunId,
      "/approvals?limit=200": things.privateApprovalId,
      "/approvals?status=pending": things.privateApprovalId,
      [`/runs?sessionId=${things.privateSessionId}`]: things.privateRunId,
    };
    for (const [path, id] of Object.entries(lists)) {
      for (const { key } of [people.member, people.admin, people.owner]) {
        expect(await idsOf(key, path)).toContain(id);
      }
      for (const { key } of [service, people.viewer]) expect(await idsOf(key, path)).not.toContain(id);
    }
    expect(await idsOf(people.viewer.key, "/sessions?limit=200")).toContain(things.sessionId);
  });

  it("API-02: one that is shown to the organization is read by viewers and written by members", async () => {
    const { people, service } = world().a;
    const { id } = await create(people.member.key, { visibility: "org" });
    const said = { events: [{ type: "system.message", content: "hello" }] };
    expect((await send(people.viewer.key, "POST", `/sessions/${id}/events`, said)).status).toBe(403);
    expect((await send(service.key, "POST", `/sessions/${id}/events`, said)).status).toBe(202);
    expect((await send(service.key, "PATCH", `/sessions/${id}`, { title: "ours" })).status).toBe(200);
  });

  it("API-05: who sees it, and whether it is, is for its owner to say", async () => {
    const { people, service } = world().a;
    const { id } = await create(people.member.key, { visibility: "org" });
    for (const [method, path, body] of [
      ["PATCH", `/sessions/${id}`, { visibility: "private" }],
      ["DELETE", `/sessions/${id}`, undefined],
      ["POST", `/sessions/${id}/share-links`, {}],
      ["GET", `/sessions/${id}/share-links`, undefined],
    ] as const) {
      expect((await send(service.key, method, path, body)).status).toBe(403);
    }
    const hidden = await send(people.member.key, "PATCH", `/sessions/${id}`, {
      visibility: "private",
      title: "x",
    });
    expect(JSON.parse(hidden.text)).toMatchObject({ visibility: "private", title: "x" });
    expect((await get(service.key, `/sessions/${id}`)).status).toBe(404);
    expect((await get(people.admin.key, `/sessions/${id}`)).status).toBe(200);
    const shown = await send(people.admin.key, "PATCH", `/sessions/${id}`, { visibility: "org" });
    expect(shown.status).toBe(200);
    expect((await get(service.key, `/sessions/${id}`)).status).toBe(200);
    const entries = (await audited("session.visibility_changed")).filter(({ target }) => target.id === id);
    expect(entries).toMatchObject([
      { actor: { id: people.admin.id }, details: { visibility: "org" } },
      { actor: { id: people.member.id }, details: { visibility: "private" } },
    ]);
  });

  it("are shown to the organization from the start where its settings say so", async () => {
    const { a } = world();
    const { people, service, orgId } = a;
    const set = (defaultVisibility: string | null) =>
      send(people.admin.key, "PATCH", `/orgs/${orgId}`, { settings: { defaultVisibility } });
    expect((await set("org")).status).toBe(200);
    const shown = await create(people.member.key);
    const hidden = await create(people.member.key, { visibility: "private" });
    expect((await set(null)).status).toBe(200);
    expect([shown.visibility, hidden.visibility]).toEqual(["org", "private"]);
    expect((await create(people.member.key)).visibility).toBe("private");
    expect((await get(service.key, `/sessions/${shown.id}`)).status).toBe(200);
  });

  it("API-02: a fork is its forker's, and needs nothing of what it came from", async () => {
    const { people, service, things } = world().a;
    const forked = await send(service.key, "POST", `/sessions/${things.sessionId}/fork`, {});
    const fork = JSON.parse(forked.text) as Session;
    expect(fork).toMatchObject({ owner: service.id, visibility: "private" });
    expect((await get(people.viewer.key, `/sessions/${fork.id}`)).status).toBe(404);
    const parent = await create(people.member.key, { visibility: "org", input: "remember this" });
    const copied = JSON.parse(
      (await send(service.key, "POST", `/sessions/${parent.id}/fork`, {})).text,
    ) as Session;
    expect((await send(people.member.key, "DELETE", `/sessions/${parent.id}`)).status).toBe(204);
    const log = await get(service.key, `/sessions/${copied.id}/events`);
    expect(log.text).toContain("session.created");
  });

  it("API-04: are made for others by who may act as them, and by nobody else", async () => {
    const { a, b } = world();
    const { people, service } = a;
    const wanted = { agent: "helper", key: "for-the-member", owner: people.member.id };
    expect((await send(people.admin.key, "POST", "/sessions", wanted)).code).toBe("forbidden");
    const made = await send(people.owner.key, "POST", "/sessions", wanted);
    expect([made.status, JSON.parse(made.text)]).toMatchObject([201, { owner: people.member.id }]);
    const { id } = JSON.parse(made.text) as Session;
    const again = await send(people.owner.key, "POST", "/sessions", wanted);
    expect([again.status, JSON.parse(again.text)]).toMatchObject([200, { id }]);
    const own = await send(people.member.key, "POST", "/sessions", { agent: "helper", key: wanted.key });
    expect([own.status, JSON.parse(own.text)]).toMatchObject([200, { id }]);
    expect((await get(service.key, `/sessions/${id}`)).status).toBe(404);
    for (const owner of [b.people.member.id, newId("user"), newId("serviceAccount")]) {
      const refused = await send(people.owner.key, "POST", "/sessions", { ...wanted, owner });
      expect([refused.status, refused.code]).toEqual([422, "unknown_owner"]);
    }
    const entries = (await audited("session.acted_as")).filter(({ target }) => target.id === id);
    expect(entries).toMatchObject([
      { actor: { id: people.owner.id }, details: { owner: people.member.id } },
      { actor: { id: people.owner.id }, details: { owner: people.member.id } },
    ]);
  });
});
