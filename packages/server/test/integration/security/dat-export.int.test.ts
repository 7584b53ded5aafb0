import { createHash } from "node:crypto";
import type { ExportJob, SessionEvent } from "@berth/contract";
import { expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { told } from "../../../src/store/conformance/budget-scene.conformance.ts";
import { as, join, loggedIn, newKey } from "../../support/security/people.ts";
import { useTwoOrgs } from "../../support/security/world.ts";
import { unzip } from "../../support/store/unzip.ts";

const world = useTwoOrgs();
const base = "/api/v1/exports";

async function made(key: string, body: object, headers: Record<string, string> = {}): Promise<ExportJob> {
  const at = world();
  const asked = await at.call(key, { method: "POST", path: base, body, headers });
  expect([asked.status, asked.text]).toEqual([202, expect.any(String)]);
  const { id } = JSON.parse(asked.text) as ExportJob;
  const deadline = performance.now() + 20_000;
  for (;;) {
    const seen = await at.call(key, { method: "GET", path: `${base}/${id}`, headers });
    const job = JSON.parse(seen.text) as ExportJob;
    if (job.status === "done") return job;
    expect([job.status, job.error]).toEqual([expect.stringMatching(/queued|running/), null]);
    if (performance.now() > deadline) throw new Error("it was not made in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function archive(key: string, job: ExportJob, headers: Record<string, string> = {}) {
  const response = await fetch(`${world().url}${base}/${job.id}/download`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/zip"]);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(job.sha256);
  return unzip(bytes);
}

const rows = (entries: Map<string, Buffer>, part: string) =>
  (entries.get(`${part}.jsonl`)?.toString() ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it("gives a member a copy of what is theirs, and of nobody else", async () => {
  const { a, canaries } = world();
  const { member, admin, owner } = a.people;
  const job = await made(member.key, { scope: "user" });
  const entries = await archive(member.key, job);
  const sessions = rows(entries, "sessions");
  expect(sessions.map(({ id }) => id)).toContain(a.things.privateSessionId);
  expect(sessions.map(({ owner: whose }) => whose)).toEqual(sessions.map(() => member.id));
  expect(rows(entries, "accounts")).toEqual([expect.objectContaining({ email: "member@alpha.example" })]);
  const log = entries.get(`sessions/${a.things.sessionId}/log.jsonl`)?.toString() ?? "";
  const events = log
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SessionEvent);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(log).toContain(a.mark);
  const blobs = [...entries].filter(([name]) => name.startsWith("blobs/"));
  expect(blobs.some(([, bytes]) => bytes.toString() === a.mark)).toBe(true);
  for (const [name, bytes] of blobs)
    expect(name).toBe(`blobs/${createHash("sha256").update(bytes).digest("hex")}`);
  // An upload is among the files of its session, whether or not a run came after it.
  const files = [...entries]
    .filter(([name]) => name.endsWith("/files.json"))
    .flatMap(([, bytes]) => (JSON.parse(bytes.toString()) as { files: { hash: string }[] }).files)
    .map(({ hash }) => entries.get(`blobs/${hash}`)?.toString());
  expect(files).toContain(a.mark);
  expect(files).not.toContain(undefined);
  const whole = Buffer.concat([...entries.values()]).toString("latin1");
  expect(whole).not.toContain(a.things.adminSessionId);
  expect(whole).not.toContain(admin.id);
  expect(canaries.in(whole)).toEqual([]);
  expect(entries.has("agents.jsonl")).toBe(false);
  // Not for anybody else, not even for who may export everything.
  for (const key of [admin.key, owner.key, world().b.people.member.key]) {
    const seen = await world().call(key, { method: "GET", path: `${base}/${job.id}/download` });
    expect([seen.status, seen.code]).toEqual([404, "export_not_found"]);
  }
});

it("gives an owner a copy of the organization, with no secret and nothing of another one", async () => {
  const { a, b, canaries, store } = world();
  const { owner } = a.people;
  const hashes = await store.system.identity.findApiKey(owner.key.slice(0, 12)).catch(() => null);
  const job = await made(owner.key, { scope: "org" });
  const entries = await archive(owner.key, job);
  expect(rows(entries, "members")).toHaveLength(4);
  expect(rows(entries, "agents").map(({ name }) => name)).toEqual(
    expect.arrayContaining(["helper", "careful"]),
  );
  expect(rows(entries, "api_keys").length).toBeGreaterThan(4);
  expect(rows(entries, "sessions").length).toBeGreaterThan(3);
  expect(rows(entries, "audit_log").length).toBeGreaterThan(0);
  const about = JSON.parse(entries.get("export.json")?.toString() ?? "{}") as ExportJob;
  expect(about.parts).toEqual(job.parts);
  const tables = Object.entries(job.parts).filter(([part]) => entries.has(`${part}.jsonl`));
  expect(tables.map(([part]) => [part, rows(entries, part).length])).toEqual(tables);
  const whole = Buffer.concat([...entries.values()]).toString("latin1");
  expect(canaries.in(whole)).toEqual([]);
  expect(whole).not.toContain(b.orgId);
  expect(whole).not.toContain(b.mark);
  expect(whole).not.toContain(hashes?.hash ?? "no such hash");
  const trail = await store.org(a.orgId).audit.list({ limit: 5, action: "export." });
  expect(trail.items.map(({ action }) => action)).toEqual(
    expect.arrayContaining(["export.requested", "export.downloaded"]),
  );
});

it("gives the operator no conversation of another organization", async () => {
  const { adminKey } = world();
  const headers = { "x-berth-org": "beta" };
  const job = await made(adminKey, { scope: "org" }, headers);
  expect(job.conversations).toBe(false);
  const entries = await archive(adminKey, job, headers);
  expect(rows(entries, "members")).toHaveLength(4);
  expect([...entries.keys()].filter((name) => /session|blobs|runs|user_configs/.test(name))).toEqual([]);
});

it("is refused to who may not have it", async () => {
  const { a, b, call } = world();
  const ask = async (key: string, body: object) =>
    (await call(key, { method: "POST", path: base, body })).code;
  expect(await ask(a.people.admin.key, { scope: "org" })).toBe("forbidden");
  expect(await ask(a.people.admin.key, { scope: "user", userId: a.people.member.id })).toBe("forbidden");
  expect(await ask(a.people.owner.key, { scope: "user", userId: b.people.member.id })).toBe(
    "member_not_found",
  );
  expect(await ask(a.people.owner.key, { scope: "org", userId: a.people.member.id })).toBe(
    "validation_failed",
  );
  expect(await ask(a.things.linkToken, { scope: "user" })).toBe("forbidden");
});

it("is not given to who asked for it, once that one may not have it, nor to a key that never might", async () => {
  const { a, call } = world();
  const who = { email: "second-owner@people.example", password: "correct horse battery" };
  const owner = as(world(), a.people.owner.key);
  const { userId } = await join(world(), owner, { ...who, role: "owner" });
  const person = await loggedIn(world(), who);
  const whole = await newKey(world(), person, {});
  const narrow = await newKey(world(), person, { scopes: ["agent:read", "session:read"] });
  const jobs = [await made(whole.key, { scope: "org" }), await made(whole.key, { scope: "user" })];
  const download = async (key: string) => {
    const asked = jobs.map(({ id }) => call(key, { method: "GET", path: `${base}/${id}/download` }));
    return (await Promise.all(asked)).map(({ status }) => status);
  };
  expect(await download(narrow.key)).toEqual([403, 200]);
  expect(await download(whole.key)).toEqual([200, 200]);
  expect((await owner.patch(`/members/${userId}`, { role: "viewer" })).status).toBe(200);
  expect(await download(whole.key)).toEqual([403, 200]);
});

it("tells nothing of where else a person belongs", async () => {
  const { a, b, store } = world();
  const identity = { source: "oidc", issuer: "https://idp.of-beta.example", subject: "4711" } as const;
  const about = {
    name: "Both",
    email: null,
    emailVerified: false,
    role: "member",
    updateRole: false,
    identity,
  };
  const userId = newId("user");
  for (const orgId of [b.orgId, a.orgId]) {
    await store.system.identity.provision({ ...about, orgId, userId, audit: told(orgId) });
  }
  const job = await made(a.people.owner.key, { scope: "org" });
  const entries = await archive(a.people.owner.key, job);
  expect(rows(entries, "members").map(({ user_id: id }) => id)).toContain(userId);
  expect(Buffer.concat([...entries.values()]).toString()).not.toContain(identity.issuer);
});

it("is gone when it is deleted", async () => {
  const { a, call } = world();
  const { member } = a.people;
  const job = await made(member.key, { scope: "user" });
  const path = `${base}/${job.id}`;
  expect((await call(member.key, { method: "DELETE", path })).status).toBe(204);
  expect((await call(member.key, { method: "GET", path: `${path}/download` })).code).toBe("export_not_found");
  expect((await call(member.key, { method: "DELETE", path })).code).toBe("export_not_found");
});
