import { describe, expect, it } from "vitest";
import { z } from "zod";
import { endpoints } from "../../../src/http/routes.ts";
import { ask, requestFor, targetOf } from "../../support/security/ask-endpoint.ts";
import { rowsOfOrg } from "../../support/security/rows-of-org.ts";
import { useTwoOrgs } from "../../support/security/world.ts";
import { rows } from "./rows/all.ts";

/** What breaks out of SQL, of LIKE, of JSON paths and of numbers. */
const payloads = [
  "' OR '1'='1",
  "x'; DROP TABLE sessions; --",
  "%",
  "_",
  "1 UNION SELECT * FROM api_keys",
  '$."a"',
  '"}]}',
  "\u0000",
  "-1",
  "1e309",
  '{"$ne":null}',
];

const filtered = endpoints.flatMap((endpoint) => {
  const row = rows[endpoint.id];
  if (endpoint.method !== "get" || endpoint.query === undefined || row === undefined) return [];
  const schema = z.toJSONSchema(endpoint.query, { io: "input", unrepresentable: "any" });
  const names = Object.keys(schema.properties ?? {});
  return names.length === 0 ? [] : [{ id: endpoint.id, endpoint, row, names }];
});

const withBody = endpoints.flatMap((endpoint) => {
  const row = rows[endpoint.id];
  const taken = endpoint.body !== undefined && endpoint.upload !== true && row !== undefined;
  return taken ? [{ id: endpoint.id, endpoint, row }] : [];
});

/** Everything that code finds on every object, list and function. */
function prototypes(): string {
  const own = [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((prototype) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype)).map(([name, { value }]) => [
      name,
      typeof value,
    ]),
  );
  return JSON.stringify(own);
}

const poisons = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"metadata":{"__proto__":{"polluted":true}}}',
  '{"__proto__":{"isAdmin":true,"permissions":["server:manage"]},"agent":"helper"}',
];

describe("what is sent to be more than a value", { timeout: 60_000 }, () => {
  const world = useTwoOrgs();

  it.each(filtered)("DAT-03: $id takes SQL for a text", async ({ endpoint, row, names }) => {
    const { a, b, dataDir } = world();
    const before = JSON.stringify(rowsOfOrg(dataDir, b.orgId));
    const given = await requestFor(row, targetOf(world(), a));
    const wrong = [];
    for (const name of names) {
      for (const payload of payloads) {
        const query = [given.query, `${encodeURIComponent(name)}=${encodeURIComponent(payload)}`];
        const asked = { ...given, query: query.filter((part) => part !== undefined).join("&") };
        const seen = await ask(world(), endpoint, { key: a.people.owner.key, given: asked });
        if (seen.status >= 500 || seen.text.includes(b.mark))
          wrong.push(`${name}=${payload}: ${seen.status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(JSON.stringify(rowsOfOrg(dataDir, b.orgId))).toBe(before);
  });

  it("DAT-03: a filter that is no filter finds nothing", async () => {
    const { a, call } = world();
    const found = async (query: string) => {
      const { text } = await call(a.people.owner.key, { method: "GET", path: `/api/v1/sessions?${query}` });
      return (JSON.parse(text) as { items: unknown[] }).items.length;
    };
    expect(await found("limit=200")).toBeGreaterThan(0);
    for (const text of ["' OR '1'='1", "%", "_%", "x' OR owner <> '"]) {
      expect(await found(`search=${encodeURIComponent(text)}`)).toBe(0);
      expect(await found(`key=${encodeURIComponent(text)}`)).toBe(0);
      expect(await found(`metadata=${encodeURIComponent(`mark:${text}`)}`)).toBe(0);
    }
  });

  it("NET-08: a naive merge is polluted, and this is how it is seen", () => {
    const before = prototypes();
    naiveMerge({}, JSON.parse(poisons[0] ?? ""));
    const after = prototypes();
    Reflect.deleteProperty(Object.prototype, "polluted");
    expect(after).not.toBe(before);
    expect(prototypes()).toBe(before);
  });

  it.each(withBody)("NET-08: $id changes no prototype", async ({ endpoint, row }) => {
    const before = prototypes();
    const { a } = world();
    const given = await requestFor(row, targetOf(world(), a));
    const statuses = [];
    for (const poison of poisons) {
      const headers = { "content-type": "application/json" };
      const asked = { ...given, body: new TextEncoder().encode(poison), headers };
      statuses.push((await ask(world(), endpoint, { key: a.people.owner.key, given: asked })).status);
    }
    expect(prototypes()).toBe(before);
    expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
  });

  it("NET-08: nor do queries and the arguments of tools", async () => {
    const before = prototypes();
    const { a, call } = world();
    const { key } = a.people.member;
    for (const query of ["__proto__[polluted]=1", "__proto__=1", "constructor=1", "metadata=__proto__:x"]) {
      const { status } = await call(key, { method: "GET", path: `/api/v1/sessions?${query}` });
      expect(status).toBeLessThan(500);
    }
    const input = 'call echo {"say":"x","__proto__":{"polluted":true},"constructor":{"prototype":{"a":1}}}';
    const body = { agent: "helper", input, visibility: "org", metadata: { constructor: "x" } };
    const made = await call(key, { method: "POST", path: "/api/v1/sessions", body });
    const { id } = JSON.parse(made.text) as { id: string };
    const path = `/api/v1/sessions/${id}/events?types=run.finished`;
    await expect.poll(async () => (await call(key, { method: "GET", path })).text).toContain("end_turn");
    expect(prototypes()).toBe(before);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});

/** What must not be done, so that the detector is known to see it. */
function naiveMerge(target: Record<string, unknown>, source: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(source)) {
    if (typeof value === "object" && value !== null) {
      const inner = (target[key] ?? {}) as Record<string, unknown>;
      naiveMerge(inner, value as Record<string, unknown>);
      target[key] = inner;
    } else target[key] = value;
  }
}
