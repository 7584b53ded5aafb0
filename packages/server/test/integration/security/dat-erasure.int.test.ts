import { randomBytes } from "node:crypto";
import type { Erasure, Session, SessionEvent } from "@berth/contract";
import { expect, it } from "vitest";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import type { Seen } from "../../support/security/call.ts";
import { filesBelow } from "../../support/security/files-below.ts";
import { type World, useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();
const word = (area: string) => `WORDS_${area}_${randomBytes(12).toString("hex")}`;
// Whoever asks knows its shape.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
const bodyOf = <T>({ text }: Seen): T => JSON.parse(text) as T;

/** Files of the data folder that hold a text. */
async function filesWith(at: World, text: string): Promise<string[]> {
  const files = [...(await filesBelow(at.dataDir))];
  return files.filter(([, bytes]) => bytes.includes(text)).map(([path]) => path);
}

async function until<T>(look: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    if (performance.now() > deadline) throw new Error("it did not come in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A session of somebody with words everywhere: said, titled, in a tool's input and result, in files of the workspace and in blobs. */
async function talk(at: World, key: string, words: string): Promise<Session> {
  const made = await at.call(key, {
    method: "POST",
    path: "/api/v1/sessions",
    body: { agent: "helper", title: words, metadata: { words }, key: words.toLowerCase() },
  });
  const session = bodyOf<Session>(made);
  const events = [
    { type: "user.message", content: `${words} ${"so it goes ".repeat(400)}` },
    {
      type: "user.message",
      content: `call fs_write ${JSON.stringify({ path: "diary.txt", content: words })}`,
    },
  ];
  for (const event of events) {
    const path = `/api/v1/sessions/${session.id}/events`;
    const sent = await at.call(key, { method: "POST", path, body: { events: [event] } });
    const [input] = bodyOf<{ inputs: { runId: string }[] }>(sent).inputs;
    await until(async () => {
      const seen = await at.call(key, { method: "GET", path: `/api/v1/runs/${input?.runId}` });
      return bodyOf<{ status: string }>(seen).status === "completed" ? true : null;
    });
  }
  const upload = new TextEncoder().encode(`${words} in a file`);
  await at.call(key, { method: "PUT", path: `/api/v1/sessions/${session.id}/files/up.txt`, body: upload });
  return session;
}

const erase = (at: World, key: string, body: object, headers: Record<string, string> = {}) =>
  at.call(key, { method: "POST", path: "/api/v1/erasures", body, headers });

async function done(at: World, key: string, seen: Seen): Promise<Erasure> {
  expect([seen.status, seen.text]).toEqual([202, expect.any(String)]);
  const { id } = bodyOf<Erasure>(seen);
  return until(async () => {
    const now = bodyOf<Erasure>(await at.call(key, { method: "GET", path: `/api/v1/erasures/${id}` }));
    expect(now.error).toBeNull();
    return now.status === "done" ? now : null;
  });
}

it("erases a user: nothing that was said or kept is found in any file afterwards, and a receipt stays", async () => {
  const at = world();
  const { a, b } = at;
  const { member, owner, admin } = a.people;
  const words = word("member");
  const session = await talk(at, member.key, words);
  const forked = await at.call(member.key, {
    method: "POST",
    path: `/api/v1/sessions/${session.id}/fork`,
    body: {},
  });
  expect(forked.status).toBe(201);
  const config = { customSpFragments: [{ content: words, enabled: true }] };
  const put = await at.call(member.key, { method: "PUT", path: "/api/v1/user-config", body: config });
  expect([put.status, put.text]).toEqual([200, expect.any(String)]);
  const others = await at.call(admin.key, {
    method: "POST",
    path: `/api/v1/sessions/${a.things.sessionId}/fork`,
    body: {},
  });
  const othersId = bodyOf<Session>(others).id;
  const untouched = await at.call(b.people.member.key, { method: "GET", path: "/api/v1/sessions" });
  const exported = await at.call(member.key, {
    method: "POST",
    path: "/api/v1/exports",
    body: { scope: "user" },
  });
  expect(exported.status).toBe(202);
  // The search finds what is there.
  const before = await filesWith(at, words);
  expect(before.some((file) => file.includes("berth.db"))).toBe(true);
  expect(before.some((file) => file.includes("/blobs/"))).toBe(true);
  expect(before.some((file) => file.includes("/workspaces/"))).toBe(true);

  const confirm = "member@alpha.example";
  const receipt = await done(
    at,
    owner.key,
    await erase(at, owner.key, { scope: "user", id: member.id, confirm }),
  );

  expect(await filesWith(at, words)).toEqual([]);
  expect(await filesWith(at, confirm)).toEqual([]);
  const { id, orgId, scope, target, requestedBy, counts, createdAt, finishedAt, hash } = receipt;
  expect({ orgId, scope, target, requestedBy }).toEqual({
    orgId: a.orgId,
    scope: "user",
    target: member.id,
    requestedBy: owner.id,
  });
  expect(counts).toMatchObject({ members: 1, user_configs: 1, workspaces: expect.any(Number) });
  expect(counts["sessions"]).toBeGreaterThan(3);
  expect(counts["blobs"]).toBeGreaterThan(1);
  expect(hash).toBe(hashJson({ id, orgId, scope, target, requestedBy, counts, createdAt, finishedAt }));
  expect((await at.call(member.key, { method: "GET", path: "/api/v1/me" })).status).toBe(401);
  const gone = await at.call(owner.key, { method: "GET", path: `/api/v1/sessions/${session.id}` });
  expect(gone.code).toBe("session_not_found");
  // What somebody else made of it is theirs, from its first event on.
  const log = await at.call(admin.key, { method: "GET", path: `/api/v1/sessions/${othersId}/export` });
  const events = log.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SessionEvent);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events[0]?.type).toBe("session.created");
  // The audit log knows that somebody did something, and not who that was.
  const trail = await at.store.org(a.orgId).audit.list({ limit: 100, actor: member.id });
  expect(trail.items.length).toBeGreaterThan(0);
  for (const entry of trail.items)
    expect([entry.erased, entry.actor.name, entry.address]).toEqual([true, "", null]);
  const verified = await at.call(owner.key, { method: "POST", path: "/api/v1/audit-log/verify", body: {} });
  expect(bodyOf<{ ok: boolean }>(verified).ok).toBe(true);
  const still = await at.call(b.people.member.key, { method: "GET", path: "/api/v1/sessions" });
  expect(bodyOf<{ items: Session[] }>(still).items.map((one) => one.id)).toEqual(
    bodyOf<{ items: Session[] }>(untouched).items.map((one) => one.id),
  );
});

it("erases the address of somebody who came by invitation from what others did with it", async () => {
  const at = world();
  const { admin, owner } = at.a.people;
  const email = `erased-${randomBytes(6).toString("hex")}@alpha.example`;
  const invite = () =>
    at.call(admin.key, {
      method: "POST",
      path: "/api/v1/invitations",
      body: { kind: "join", email, role: "member" },
      headers: { "Idempotency-Key": randomBytes(8).toString("hex") },
    });
  await invite();
  const { token } = bodyOf<{ token: string }>(await invite());
  const accept = { token, name: "Erased", password: "correct horse battery" };
  const accepted = await at.call(null, {
    method: "POST",
    path: "/api/v1/invitations/accept",
    body: accept,
  });
  expect([accepted.status, accepted.text]).toEqual([200, expect.any(String)]);
  const { userId } = bodyOf<{ userId: string }>(accepted);
  expect((await filesWith(at, email)).some((file) => file.includes("berth.db"))).toBe(true);

  await done(at, owner.key, await erase(at, owner.key, { scope: "user", id: userId, confirm: email }));

  expect(await filesWith(at, email)).toEqual([]);
  const verified = await at.call(owner.key, { method: "POST", path: "/api/v1/audit-log/verify", body: {} });
  expect(bodyOf<{ ok: boolean }>(verified).ok).toBe(true);
});

it("erases nobody without the right to, the right name, or an owner who stays", async () => {
  const at = world();
  const { a, b, home } = at;
  const target = { scope: "user", id: a.people.viewer.id };
  const confirm = "viewer@alpha.example";
  expect((await erase(at, a.people.admin.key, { ...target, confirm })).code).toBe("forbidden");
  expect((await erase(at, a.people.owner.key, { ...target, confirm: "viewer" })).code).toBe(
    "confirm_mismatch",
  );
  const unknown = await erase(at, b.people.owner.key, { ...target, confirm });
  expect([unknown.status, unknown.code]).toEqual([404, "member_not_found"]);
  const self = { scope: "user", id: a.people.owner.id, confirm: "owner@alpha.example" };
  expect((await erase(at, a.people.owner.key, self)).code).toBe("last_owner");
  const foreign = { scope: "org", id: b.orgId, confirm: "beta" };
  expect((await erase(at, a.people.owner.key, foreign)).code).toBe("org_not_found");
  const own = { scope: "org", id: home.orgId, confirm: "default" };
  expect((await erase(at, at.adminKey, own)).code).toBe("home_org");
});

it("erases an organization: no row and no file of it stays but the receipt, which the operator can read", async () => {
  const at = world();
  const { b, a } = at;
  const words = word("org");
  await talk(at, b.people.member.key, words);
  expect((await filesWith(at, words)).length).toBeGreaterThan(1);
  const body = { scope: "org", id: b.orgId, confirm: "beta" };
  const seen = await erase(at, at.adminKey, body, { "x-berth-org": "beta" });
  const receipt = await done(at, at.adminKey, seen);
  expect(receipt.counts).toMatchObject({ agents: 2, members: 4, service_accounts: 1 });
  expect(await filesWith(at, words)).toEqual([]);
  expect(await filesWith(at, b.mark)).toEqual([]);
  expect((await at.call(b.people.owner.key, { method: "GET", path: "/api/v1/me" })).status).toBe(401);
  expect(await at.store.org(b.orgId).identity.findOrg()).toBeNull();
  const { orgId } = await at.store.system.singleTenant();
  const told = await at.store.org(orgId).audit.list({ limit: 5, action: "org.erased" });
  expect(told.items.map((entry) => entry.target?.id)).toEqual([b.orgId]);
  expect((await at.call(a.people.owner.key, { method: "GET", path: "/api/v1/agents" })).status).toBe(200);
});
