import { describe, expect, it } from "vitest";
import { createPreviewGrants } from "./preview-grants.ts";
import type { Principal } from "./principal.ts";

const principal: Principal = {
  type: "user",
  id: "usr_1",
  name: "Ada",
  orgId: "org_1",
  permissions: new Set(["session:write"]),
  credential: { kind: "api_key", id: "key_1", expiresAt: null },
};
const target = { orgId: "org_1", sandboxId: "sbx_1", incarnation: "one", port: 3000 };
const minute = 60_000;

function setUp(key = Buffer.alloc(32, 7)) {
  const time = { now: 1_000_000 };
  return { time, grants: createPreviewGrants({ key, clock: { now: () => time.now } }) };
}

describe("createPreviewGrants", () => {
  it("opens a port for who has the token, under a name that tells nothing", () => {
    const { grants } = setUp();
    const { grant, token } = grants.open(target, { principal, ttlMs: minute });
    expect(grants.redeem(token, grant.label)).toMatchObject({ ...target, principal });
    expect(grant.label).toMatch(/^p[0-9a-z]{25}$/);
    for (const word of ["org_1", "sbx_1", "usr_1", "3000"])
      expect(`${grant.label} ${token}`).not.toContain(word);
  });

  it("keeps the name of a port, and gives each port and each life of a sandbox another", () => {
    const { grants } = setUp();
    const label = (change: Partial<typeof target>) =>
      grants.open({ ...target, ...change }, { principal, ttlMs: minute }).grant.label;
    expect(label({})).toBe(label({}));
    const labels = [{}, { port: 3001 }, { incarnation: "two" }, { sandboxId: "sbx_2" }, { orgId: "org_2" }];
    expect(new Set(labels.map(label)).size).toBe(labels.length);
  });

  it("takes no token that is forged, another's, or of another server", () => {
    const { grants } = setUp();
    const { grant, token } = grants.open(target, { principal, ttlMs: minute });
    const other = grants.open({ ...target, port: 3001 }, { principal, ttlMs: minute });
    expect(grants.redeem(other.token, grant.label)).toBeNull();
    expect(grants.redeem(token, other.grant.label)).toBeNull();
    const parts = token.split(".");
    const later = [parts[0], String(Number(parts[1]) + minute), parts[2], parts[3]].join(".");
    for (const forged of [later, token.slice(0, -1), `${token}A`, "", "a.b.c.d", "p".repeat(10_000)])
      expect(grants.redeem(forged, grant.label)).toBeNull();
    const elsewhere = setUp(Buffer.alloc(32, 8)).grants.open(target, { principal, ttlMs: minute });
    expect(grants.redeem(elsewhere.token, elsewhere.grant.label)).toBeNull();
  });

  it("takes no token after its time, and no longer than a day", () => {
    const { grants, time } = setUp();
    const { grant, token } = grants.open(target, { principal, ttlMs: minute });
    const long = grants.open({ ...target, port: 1 }, { principal, ttlMs: 10 * 86_400_000 });
    time.now += minute - 1;
    expect(grants.redeem(token, grant.label)).not.toBeNull();
    time.now += 1;
    expect(grants.redeem(token, grant.label)).toBeNull();
    time.now += 86_400_000;
    expect(grants.redeem(long.token, long.grant.label)).toBeNull();
  });

  it("keeps each token's own time when a port is opened again", () => {
    const { grants, time } = setUp();
    const first = grants.open(target, { principal, ttlMs: minute });
    const second = grants.open(target, { principal, ttlMs: 3 * minute });
    time.now += 2 * minute;
    expect(grants.redeem(first.token, first.grant.label)).toBeNull();
    expect(grants.redeem(second.token, second.grant.label)).not.toBeNull();
  });

  it("takes no token of a port that was closed, though it was opened again", () => {
    const { grants } = setUp();
    const { grant, token } = grants.open(target, { principal, ttlMs: minute });
    expect(grants.close({ ...target, orgId: "org_2" })).toBe(false);
    expect(grants.close(target)).toBe(true);
    expect(grants.redeem(token, grant.label)).toBeNull();
    const again = grants.open(target, { principal, ttlMs: minute });
    expect(grants.redeem(token, grant.label)).toBeNull();
    expect(grants.redeem(again.token, grant.label)).not.toBeNull();
    expect(grants.close(target)).toBe(true);
    expect(grants.close(target)).toBe(false);
  });

  it("keeps apart who opened a port, and closes it for all of them", () => {
    const { grants } = setUp();
    const mine = grants.open(target, { principal, ttlMs: minute });
    const other = { ...principal, id: "usr_2" };
    const theirs = grants.open(target, { principal: other, ttlMs: minute });
    expect(theirs.grant.label).toBe(mine.grant.label);
    expect(grants.redeem(mine.token, mine.grant.label)?.principal.id).toBe("usr_1");
    expect(grants.redeem(theirs.token, mine.grant.label)?.principal.id).toBe("usr_2");
    expect(grants.close(target)).toBe(true);
    expect(grants.redeem(theirs.token, mine.grant.label)).toBeNull();
  });

  it("has an end, for each organization and in all", () => {
    const { grants } = setUp();
    const open = (orgId: string, port: number) =>
      grants.open({ ...target, orgId, port }, { principal, ttlMs: minute });
    for (let port = 1; port <= 1_000; port += 1) open("org_1", port);
    expect(() => open("org_1", 1_001)).toThrow(expect.objectContaining({ code: "too_many_previews" }));
    expect(open("org_1", 1_000).grant.port).toBe(1_000);
    expect(open("org_2", 1).grant.port).toBe(1);
    expect(grants.list("org_1", "sbx_1")).toHaveLength(1_000);
  });
});
