import { describe, expect, it } from "vitest";
import { endpoints } from "../../../src/http/routes.ts";
import {
  answersRoles,
  knowsNothing,
  opensByLink,
  refusesMore,
  refusesStrangers,
  runsOthers,
} from "../../support/security/matrix-checks.ts";
import { useTwoOrgs } from "../../support/security/world.ts";
import { rows } from "./rows/all.ts";

const all = endpoints.flatMap((endpoint) => {
  const row = rows[endpoint.id];
  return row === undefined ? [] : [{ id: endpoint.id, endpoint, row }];
});
const guarded = all.filter(({ row }) => row.may !== "open");
const withBody = guarded.filter(({ endpoint }) => endpoint.body !== undefined && endpoint.upload !== true);

describe("the matrix", { timeout: 60_000 }, () => {
  const world = useTwoOrgs();

  it("API-01: has a row for every endpoint, and no other", () => {
    expect(Object.keys(rows).toSorted()).toEqual(endpoints.map(({ id }) => id).toSorted());
  });

  it.each(all)("API-01: $id answers each role as it should, at home", async (attacked) =>
    expect(await answersRoles(world(), attacked)).toBe(""),
  );

  it.each(guarded)("API-01: $id tells nobody anything without a good credential", async (attacked) =>
    expect(await refusesStrangers(world(), attacked)).toBe(""),
  );

  it.each(guarded)("API-01: $id says of another's things what it says of nobody's", async (attacked) =>
    expect(await knowsNothing(world(), attacked)).toBe(""),
  );

  it.each(guarded)("API-01: $id lets the operator run other organizations, no more", async (attacked) =>
    expect(await runsOthers(world(), attacked)).toBe(""),
  );

  it.each(guarded)("API-01: $id opens for a share link only what that is for", async (attacked) =>
    expect(await opensByLink(world(), attacked)).toBe(""),
  );

  it.each(withBody)("API-04: $id takes no field that its body does not name", async (attacked) =>
    expect(await refusesMore(world(), attacked)).toBe(""),
  );
});
