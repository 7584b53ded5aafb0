import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/routes.ts";
import {
  ask,
  forNobody,
  mayAs,
  requestFor,
  targetOf,
  withoutIds,
} from "../../support/security/ask-endpoint.ts";
import type { Row } from "../../support/security/matrix-row.ts";
import { rowsOfOrg } from "../../support/security/rows-of-org.ts";
import { roles } from "../../support/security/tenant.ts";
import { useTwoOrgs, type World } from "../../support/security/world.ts";
import { rows } from "./rows/all.ts";

const notFoundOrForbidden = [403, 404];

describe("API-01: every endpoint, for everybody", { timeout: 60_000 }, () => {
  const world = useTwoOrgs();

  it("has a row in the matrix, and every row an endpoint", () => {
    expect(Object.keys(rows).toSorted()).toEqual(endpoints.map(({ id }) => id).toSorted());
  });

  describe.each(endpoints)("$id", (endpoint) => {
    const row = rows[endpoint.id];
    if (row === undefined) {
      it("has no row in the matrix: add one to rows/", () => expect.fail(endpoint.id));
      return;
    }

    it("API-01: answers each role as it should, at home", () => answersRoles(world(), endpoint, row));

    if (row.may === "open") return;

    it("API-01: tells nobody anything without a good credential", () =>
      refusesStrangers(world(), endpoint, row));

    it("API-01: says of what another organization has what it says of what there is not", () =>
      knowsNothing(world(), endpoint, row));

    it("API-01: lets the operator run other organizations, and no more", () =>
      abroad(world(), endpoint, row));

    it("API-01: opens for a share link only what it is for", () => byLink(world(), endpoint, row));

    if (endpoint.body !== undefined && endpoint.upload !== true) {
      it("API-04: takes no field that its body does not name", () => refusesMore(world(), endpoint, row));
    }
  });
});

async function answersRoles(world: World, endpoint: Endpoint, row: Row): Promise<void> {
  const target = targetOf(world, world.a);
  for (const role of roles) {
    const given = await requestFor(row, target);
    const { status, code, text } = await ask(world, endpoint, { key: world.a.people[role].key, given });
    if (mayAs(row, role)) expect(row.ok, `${role}: ${text}`).toContain(status);
    else expect([status, code], role).toEqual([403, "forbidden"]);
    expect(text).not.toContain(world.b.mark);
  }
  const given = await requestFor(row, targetOf(world, world.home));
  const { status, text } = await ask(world, endpoint, { key: world.adminKey, given });
  expect(row.ok, `operator: ${text}`).toContain(status);
}

async function refusesStrangers(world: World, endpoint: Endpoint, row: Row): Promise<void> {
  const given = await requestFor(row, targetOf(world, world.a));
  const forged = `${world.a.people.admin.key.slice(0, -4)}AAAA`;
  const answers = [];
  for (const key of [null, world.a.expired, world.a.revoked, forged, "brt_x", "shr_x"]) {
    const { status, code } = await ask(world, endpoint, { key, given });
    answers.push([status, code]);
  }
  expect(new Set(answers.map(String))).toEqual(new Set(["401,unauthenticated"]));
}

async function knowsNothing(world: World, endpoint: Endpoint, row: Row): Promise<void> {
  const theirs = await requestFor(row, targetOf(world, world.b));
  const nobodys = forNobody(theirs);
  const before = rowsOfOrg(world.dataDir, world.b.orgId);
  const callers = [...roles.map((role) => world.a.people[role].key), world.outsider.people.admin.key];
  for (const key of [...callers, world.a.things.linkToken]) {
    const answer = await ask(world, endpoint, { key, given: theirs });
    expect(answer.text).not.toContain(world.b.mark);
    if (nobodys.names.size === 0) continue;
    expect(withoutIds(answer)).toBe(withoutIds(await ask(world, endpoint, { key, given: nobodys.given })));
    expect(notFoundOrForbidden, answer.text).toContain(answer.status);
  }
  expect(rowsOfOrg(world.dataDir, world.b.orgId)).toEqual(before);
}

async function abroad(world: World, endpoint: Endpoint, row: Row): Promise<void> {
  const given = await requestFor(row, targetOf(world, world.b));
  const headers = { "x-berth-org": world.b.slug };
  const { status, text } = await ask(world, endpoint, { key: world.adminKey, given, headers });
  if (row.abroad === true) expect(row.ok, text).toContain(status);
  else expect(status, text).toBe(403);
}

async function byLink(world: World, endpoint: Endpoint, row: Row): Promise<void> {
  const target = targetOf(world, world.a);
  const given = await requestFor(row, target);
  const { status, text } = await ask(world, endpoint, { key: world.a.things.linkToken, given });
  if (row.link !== true) return expect(status, text).toBe(403);
  expect(row.ok, text).toContain(status);
  const other = { ...given, params: { ...given.params, sessionId: world.a.things.askingSessionId } };
  expect((await ask(world, endpoint, { key: world.a.things.linkToken, given: other })).status).toBe(404);
}

/** Fields by which a body could say whose something is, or what somebody may. */
const taken = ["orgId", "org_id", "userId", "role", "isAdmin", "permissions", "createdAt", "quota", "id"];

async function refusesMore(world: World, endpoint: Endpoint, row: Row): Promise<void> {
  const target = targetOf(world, world.a);
  const { key } = world.a.people.owner;
  for (const field of taken) {
    const given = await requestFor(row, target);
    const named = given.body as Record<string, unknown>;
    if (field in named) continue;
    const body = { ...named, [field]: world.b.orgId };
    const { status, code, text } = await ask(world, endpoint, { key, given: { ...given, body } });
    const refused = [
      [422, "validation_failed"],
      [403, "forbidden"],
    ];
    expect(refused, text).toContainEqual([status, code]);
  }
}
