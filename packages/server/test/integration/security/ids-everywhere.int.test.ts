import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { withoutIds } from "../../support/security/ask-endpoint.ts";
import type { Ask, Seen } from "../../support/security/call.ts";
import { rowsOfOrg } from "../../support/security/rows-of-org.ts";
import { type Home, useTwoOrgs } from "../../support/security/world.ts";

/** A request that names a thing of another organization somewhere else than in its path, given that thing's id. */
interface Hidden {
  readonly name: string;
  readonly of: (home: Home) => string;
  readonly unknown: () => string;
  readonly ask: (id: string, own: Home) => Ask;
}

const post = (path: string, body: unknown): Ask => ({ method: "POST", path: `/api/v1${path}`, body });
const inEvents = (event: object, own: Home) => {
  const good = { type: "system.message", content: "goes with it" };
  return post(`/sessions/${own.things.sessionId}/events`, { events: [good, event] });
};

const hidden: readonly Hidden[] = [
  {
    name: "an agent, for a new session",
    of: ({ things }) => things.agentId,
    unknown: () => newId("agent"),
    ask: (agent) => post("/sessions", { agent }),
  },
  {
    name: "a user, as a session's owner",
    of: ({ people }) => people.member.id,
    unknown: () => newId("user"),
    ask: (owner) => post("/sessions", { agent: "helper", owner, key: "same-private-key" }),
  },
  {
    name: "an agent, for a session that there is",
    of: ({ things }) => things.agentId,
    unknown: () => newId("agent"),
    ask: (agent, own) => ({
      method: "PATCH",
      path: `/api/v1/sessions/${own.things.sessionId}`,
      body: { agent },
    }),
  },
  {
    name: "an approval, in a batch of inputs",
    of: ({ things }) => things.approvalId,
    unknown: () => newId("approval"),
    ask: (approvalId, own) => inEvents({ type: "user.approval", approvalId, decision: "allow" }, own),
  },
  {
    name: "a user, as whose key it is to be",
    of: ({ people }) => people.member.id,
    unknown: () => newId("user"),
    ask: (owner) => post("/api-keys", { name: "taken", owner }),
  },
  {
    name: "a user, to export",
    of: ({ people }) => people.member.id,
    unknown: () => newId("user"),
    ask: (userId) => post("/exports", { scope: "user", userId }),
  },
  {
    name: "a user, to erase",
    of: ({ people }) => people.member.id,
    unknown: () => newId("user"),
    ask: (id) => post("/erasures", { scope: "user", id, confirm: "member@beta.example" }),
  },
  {
    name: "a user, whose password is to be reset",
    of: ({ people }) => people.member.id,
    unknown: () => newId("user"),
    ask: (userId) => post("/invitations", { kind: "reset", userId }),
  },
  ...(["user", "agent", "session", "run"] as const).map((scope): Hidden => ({
    name: `${scope === "agent" ? "an" : "a"} ${scope}, as what a budget is for`,
    of: ({ people, things }) =>
      ({ user: people.member.id, agent: things.agentId, session: things.sessionId, run: things.askingRunId })[
        scope
      ],
    unknown: () => newId(scope),
    ask: (target) =>
      post("/budgets", { scope, target, unit: "tokens", period: "total", limit: 1e9, onLimit: "warn" }),
  })),
  {
    name: "a share link, as an entry of one's own",
    of: ({ things }) => things.linkId,
    unknown: () => newId("shareLink"),
    ask: (shareLinkId) => post("/user-config/shared-links", { shareLinkId }),
  },
  {
    name: "a share link, under a session of one's own",
    of: ({ things }) => things.linkId,
    unknown: () => newId("shareLink"),
    ask: (id, own) => ({
      method: "DELETE",
      path: `/api/v1/sessions/${own.things.sessionId}/share-links/${id}`,
    }),
  },
];

const lists: readonly { name: string; query: (home: Home) => string }[] = [
  { name: "sessions of an owner", query: ({ people }) => `/sessions?owner=${people.member.id}` },
  { name: "sessions of an agent", query: ({ things }) => `/sessions?agent=${things.agentId}` },
  { name: "sessions with a text", query: ({ mark }) => `/sessions?search=${mark}` },
  { name: "sessions with metadata", query: ({ mark }) => `/sessions?metadata=mark:${mark}` },
  { name: "runs of a session", query: ({ things }) => `/runs?sessionId=${things.sessionId}` },
  { name: "approvals of a session", query: ({ things }) => `/approvals?sessionId=${things.askingSessionId}` },
  { name: "what somebody did", query: ({ people }) => `/audit-log?actor=${people.admin.id}` },
  { name: "what was done to something", query: ({ things }) => `/audit-log?target=${things.agentId}` },
  { name: "members by email", query: ({ slug }) => `/members?email=member@${slug}.example` },
  { name: "keys of somebody", query: ({ people }) => `/api-keys?owner=${people.member.id}` },
];

describe("ids of another organization", { timeout: 30_000 }, () => {
  const world = useTwoOrgs();
  const itemsOf = ({ text }: Seen) => (JSON.parse(text) as { items: { id: string }[] }).items;
  const get = (home: Home, path: string) =>
    world().call(home.people.owner.key, { method: "GET", path: `/api/v1${path}` });

  it.each(hidden)("API-02: $name: like one that there is not", async ({ of, unknown, ask }) => {
    const { a, b, call, dataDir } = world();
    const before = [rowsOfOrg(dataDir, b.orgId), rowsOfOrg(dataDir, a.orgId)];
    const theirs = await call(a.people.owner.key, ask(of(b), a));
    const nobodys = await call(a.people.owner.key, ask(unknown(), a));
    expect(withoutIds(theirs)).toBe(withoutIds(nobodys));
    expect([404, 422]).toContain(theirs.status);
    // Not the good part of a batch either.
    expect([rowsOfOrg(dataDir, b.orgId), rowsOfOrg(dataDir, a.orgId)]).toEqual(before);
  });

  it.each(lists)("API-02: a list of $name is empty", async ({ query }) => {
    const { a, b } = world();
    expect(itemsOf(await get(b, query(b))).length).toBeGreaterThan(0);
    expect(itemsOf(await get(a, query(b)))).toEqual([]);
  });

  it("API-02: a cursor of another organization's list brings nothing of it", async () => {
    const { a, b } = world();
    const cursors = { sessions: b.things.sessionId, runs: b.things.runId, approvals: b.things.approvalId };
    for (const [list, cursor] of Object.entries(cursors)) {
      const seen = await get(a, `/${list}?after=${cursor}`);
      expect(seen.status).toBe(200);
      expect(seen.text).not.toContain(b.mark);
      expect(seen.text).not.toContain(b.things.sessionId);
    }
  });

  it("API-02: a thing under another parent than its own is not there", async () => {
    const { a, call } = world();
    const { things, people } = a;
    const path = `/api/v1/sessions/${things.askingSessionId}/share-links/${things.linkId}`;
    expect((await call(people.member.key, { method: "DELETE", path })).code).toBe("share_link_not_found");
    const decision = { type: "user.approval", approvalId: things.approvalId, decision: "allow" };
    expect((await call(people.member.key, inEvents(decision, a))).code).toBe("approval_not_found");
  });

  it("API-02: an Idempotency-Key is its principal's own", async () => {
    const { a, b, call } = world();
    const ask = { ...post("/sessions", { agent: "helper" }), headers: { "idempotency-key": "same-key" } };
    const keys = [a.people.member, a.people.admin, a.service, b.people.member].map(({ key }) => key);
    const made = [];
    for (const key of [...keys, ...keys]) {
      const { text, headers } = await call(key, ask);
      made.push({
        id: (JSON.parse(text) as { id: string }).id,
        replayed: headers.has("idempotency-replayed"),
      });
    }
    expect(new Set(made.map(({ id }) => id)).size).toBe(keys.length);
    expect(made.map(({ replayed }) => replayed)).toEqual(keys.map(() => false).concat(keys.map(() => true)));
  });

  it("API-02: a session's key is its owner's own", async () => {
    const { a, b, call } = world();
    const ask = post("/sessions", { agent: "helper", key: "same-private-key" });
    const ids = [];
    for (const { key } of [a.people.member, a.people.admin, b.people.member]) {
      ids.push((JSON.parse((await call(key, ask)).text) as { id: string }).id);
    }
    expect([ids[0], ids[2]]).toEqual([a.things.privateSessionId, b.things.privateSessionId]);
    expect(new Set(ids).size).toBe(3);
  });

  it("API-02: a key is good for its own organization, whatever the header says", async () => {
    const { a, b, call } = world();
    const as = (org: string) =>
      call(a.people.owner.key, { method: "GET", path: "/api/v1/me", headers: { "x-berth-org": org } });
    expect((await as(a.slug)).status).toBe(200);
    const [theirs, nobodys] = [await as(b.slug), await as("omega")];
    expect([theirs.status, theirs.code]).toEqual([404, "org_not_found"]);
    expect(withoutIds(theirs).replace(b.slug, "")).toBe(withoutIds(nobodys).replace("omega", ""));
  });

  it("API-03: a stream of another organization's session does not begin, from whatever cursor", async () => {
    const { a, b, call } = world();
    const stream = (id: string, headers = {}) =>
      call(a.people.owner.key, { method: "GET", path: `/api/v1/sessions/${id}/events/stream`, headers });
    for (const headers of [{}, { "last-event-id": "1.1" }, { "last-event-id": "1.99999" }]) {
      const theirs = await stream(b.things.sessionId, headers);
      expect(withoutIds(theirs)).toBe(withoutIds(await stream(newId("session"), headers)));
      expect(theirs.status).toBe(404);
    }
    const own = await stream(a.things.sessionId, { "last-event-id": "1.99999" });
    expect(own.code).toBe("cursor_invalid");
  });

  it("API-03: counts and figures are of one's own organization", async () => {
    const { a, b } = world();
    const runtime = await get(a, "/runtime/sessions");
    for (const id of [b.things.sessionId, b.things.privateSessionId]) expect(runtime.text).not.toContain(id);
    const figures = JSON.parse((await get(a, "/runtime/stats")).text) as { live: number };
    expect(figures.live).toBeLessThanOrEqual(itemsOf(await get(a, "/sessions?limit=200")).length);
  });
});
