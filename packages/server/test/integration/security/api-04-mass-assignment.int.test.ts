import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { as, join } from "../../support/security/people.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();

describe("fields that a request must not set", () => {
  it("API-04: of an organization, a member or a key stay as they are when they are sent beside allowed ones", async () => {
    const admin = as(world(), world().a.people.admin.key);
    const { userId } = await join(world(), admin, {
      email: "mass@people.example",
      role: "viewer",
      password: "correct horse battery",
    });
    const before = await snapshot();
    const attempts = [
      await admin.patch(`/members/${userId}`, { role: "member", id: world().b.people.owner.id }),
      await admin.patch(`/members/${userId}`, { role: "member", email: "other@people.example" }),
      await admin.patch(`/orgs/${world().a.orgId}`, { name: "x", id: world().b.orgId }),
      await admin.patch(`/orgs/${world().a.orgId}`, { name: "x", settings: { isAdmin: true } }),
      await admin.post("/api-keys", { name: "x", prefix: "brt_000000000000", hash: "00" }),
      await admin.post("/api-keys", { name: "x", createdBy: world().b.people.owner.id }),
      await admin.post("/service-accounts", { name: "x", id: newId("serviceAccount") }),
      await admin.post("/invitations", { kind: "join", email: "a@b.example", orgId: world().b.orgId }),
      await admin.patch("/users/me", { name: "x", email: "other@people.example" }),
      await admin.patch("/users/me", { name: "x", emailVerified: true }),
    ];
    expect(attempts.map(({ status, code }) => [status, code])).toEqual(
      attempts.map(() => [422, "validation_failed"]),
    );
    expect(await snapshot()).toEqual(before);
  });
});

/** Rows of everything that such a body could have changed. */
async function snapshot(): Promise<unknown> {
  const { store, a, b } = world();
  return Promise.all(
    [a, b].map(async ({ orgId }) => {
      const { identity } = store.org(orgId);
      return [
        await identity.findOrg(),
        await identity.listMembers({ limit: 200 }),
        (await identity.listApiKeys({ limit: 200 })).items.map(({ id, prefix, scopes }) => [
          id,
          prefix,
          scopes,
        ]),
        await identity.listServiceAccounts({ limit: 200 }),
        await identity.listInvitations({ limit: 200 }),
        await identity.listRoles(),
      ];
    }),
  );
}
