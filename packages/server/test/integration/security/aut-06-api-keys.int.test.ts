import type { ApiKey, CreateApiKeyReply, Page } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { makeApiKey } from "../../../src/auth/api-key.ts";
import { filesBelow } from "../../support/security/files-below.ts";
import { as, made, newKey } from "../../support/security/people.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();
const of = (role: "owner" | "admin" | "member" | "viewer") => as(world(), world().a.people[role].key);
const me = (key: string) => as(world(), key).get("/me");

describe("API keys", () => {
  it("AUT-06: are in no file of the server, and neither is anything that could be used in their place", async () => {
    const { key } = await newKey(world(), of("admin"), { owner: world().a.service.id });
    const { dataDir, a, b } = world();
    const secrets = [key, ...Object.values(a.people).map((seat) => seat.key), b.people.owner.key];
    let read = 0;
    for (const [path, bytes] of await filesBelow(dataDir)) {
      read += bytes.byteLength;
      for (const secret of secrets) expect([path, bytes.includes(secret.slice(-43))]).toEqual([path, false]);
    }
    expect(read).toBeGreaterThan(100_000);
  });

  it("AUT-06: of which somebody has read the whole table are of no use to them", async () => {
    const { key, id, prefix } = await newKey(world(), of("admin"), { owner: world().a.service.id });
    expect((await me(key)).status).toBe(200);
    const found = await world().store.system.identity.findApiKey(prefix);
    const stolen = [
      found?.hash,
      `${prefix}_${found?.hash}`,
      `${prefix}_${found?.hash.slice(0, 43)}`,
      prefix,
      id,
    ];
    for (const text of stolen) expect((await me(text ?? "")).status).toBe(401);
  });

  it("AUT-06: are not recognized by any spelling but their own, and every refusal reads the same", async () => {
    const { key } = await newKey(world(), of("admin"), { owner: world().a.service.id });
    const variants = [
      key.toUpperCase(),
      key.replace("brt_", "BRT_"),
      key.slice(0, -1),
      `${key}A`,
      `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`,
      `${key.slice(0, 17)}${makeApiKey(Buffer.alloc(32)).key.reveal().slice(17)}`,
      makeApiKey(Buffer.alloc(32)).key.reveal(),
      encodeURIComponent(`${key}\0`),
      world().a.expired,
      world().a.revoked,
    ];
    const replies = await Promise.all(variants.map(me));
    expect(replies.map(({ status }) => status)).toEqual(variants.map(() => 401));
    const bodies = replies.map(({ text }) => text.replace(/req_\w+/, "req"));
    expect(new Set(bodies).size).toBe(1);
    const spaced = await world().call(null, {
      method: "GET",
      path: "/api/v1/me",
      headers: { authorization: `Bearer ${key} ${key}` },
    });
    expect(spaced.status).toBe(401);
  });

  it("AUT-06: do what their scopes say and no more", async () => {
    const { key } = await newKey(world(), of("admin"), {
      owner: world().a.people.admin.id,
      scopes: ["agent:read", "member:read"],
    });
    const scoped = as(world(), key);
    const reply = made<{ permissions: string[] }>(await scoped.get("/me"), 200);
    expect(reply.permissions).toEqual(["agent:read", "member:read"]);
    expect((await scoped.get("/agents")).status).toBe(200);
    expect((await scoped.get("/sessions")).status).toBe(403);
    expect((await scoped.post("/agents", { name: "x", model: "test/model" })).status).toBe(403);
  });

  it("AUT-06: end when they expire, when they are revoked, and when their overlap is over", async () => {
    const admin = of("admin");
    const owner = world().a.service.id;
    const first = await newKey(world(), admin, { owner });
    const rotated = made<CreateApiKeyReply>(
      await admin.post(`/api-keys/${first.id}/rotate`, { overlapMs: 60_000 }),
    );
    world().canaries.keep("rotated", rotated.key);
    expect([(await me(first.key)).status, (await me(rotated.key)).status]).toEqual([200, 200]);
    expect((await admin.post(`/api-keys/${first.id}/rotate`)).code).toBe("api_key_replaced");
    const last = made<CreateApiKeyReply>(
      await admin.post(`/api-keys/${rotated.id}/rotate`, { overlapMs: 0 }),
    );
    world().canaries.keep("last", last.key);
    expect([(await me(rotated.key)).status, (await me(last.key)).status]).toEqual([401, 200]);
    made(await admin.delete(`/api-keys/${last.id}`), 200);
    expect((await me(last.key)).status).toBe(401);
    expect((await admin.post(`/api-keys/${last.id}/rotate`)).code).toBe("api_key_not_found");
    expect((await me(world().a.expired)).status).toBe(401);
  });

  it("AUT-06: are shown once, and their records tell when they were used", async () => {
    const headers = { "idempotency-key": "one-key" };
    const admin = as(world(), world().a.people.admin.key, headers);
    const body = { name: "once", owner: world().a.service.id };
    const first = made<CreateApiKeyReply>(await admin.post("/api-keys", body));
    world().canaries.keep("once", first.key);
    const second = await admin.post("/api-keys", body);
    expect([second.status, second.code]).toEqual([409, "already_created"]);
    expect(second.text).toContain(first.id);
    expect(second.text).not.toContain(first.key.slice(-43));
    await me(first.key);
    const list = await of("admin").get("/api-keys?limit=200");
    expect(list.text).not.toContain(first.key.slice(-43));
    const one = made<ApiKey>(await of("admin").get(`/api-keys/${first.id}`), 200);
    expect(one).toMatchObject({ prefix: first.key.slice(0, 16), name: "once", owner: body.owner });
    await expect
      .poll(async () => made<ApiKey>(await of("admin").get(`/api-keys/${first.id}`), 200).lastUsedAt, {
        timeout: 15_000,
      })
      .not.toBeNull();
  });

  it("AUT-06: of others are seen only by who may see them", async () => {
    const { member, viewer, admin } = world().a.people;
    const own = made<Page<ApiKey>>(await of("member").get(`/api-keys?owner=${member.id}`), 200);
    expect(own.items.every(({ owner }) => owner === member.id)).toBe(true);
    expect((await of("member").get("/api-keys")).status).toBe(403);
    expect((await of("member").get(`/api-keys/${viewer.keyId}`)).code).toBe("api_key_not_found");
    expect((await of("member").delete(`/api-keys/${admin.keyId}`)).code).toBe("api_key_not_found");
    expect((await of("admin").get(`/api-keys/${world().b.people.viewer.keyId}`)).code).toBe(
      "api_key_not_found",
    );
    expect((await of("admin").delete(`/api-keys/${world().b.people.viewer.keyId}`)).status).toBe(404);
    expect((await as(world(), world().b.people.viewer.key).get("/me")).status).toBe(200);
  });
});

describe("looking a key up", () => {
  it("AUT-06: takes as long for a prefix that there is as for one that there is not", async () => {
    const { key } = await newKey(world(), of("admin"), { owner: world().a.service.id });
    const known = `${key.slice(0, 17)}${makeApiKey(Buffer.alloc(32)).key.reveal().slice(17)}`;
    const unknown = makeApiKey(Buffer.alloc(32)).key.reveal();
    const time = async (text: string) => {
      const start = performance.now();
      await world().store.system.identity.findApiKey(text.slice(0, 16));
      return performance.now() - start;
    };
    const [there, gone]: [number[], number[]] = [[], []];
    for (let round = 0; round < 2_000; round++) {
      there.push(await time(known));
      gone.push(await time(unknown));
    }
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
    // Some tens of microseconds of work, against the milliseconds by which replies over a network differ.
    expect(Math.abs(median(there) - median(gone))).toBeLessThan(0.25);
  });
});
