import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { entry, Tenant } from "./identity-scene.conformance.ts";
import { type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

export function identityConformance(open: OpenStore): void {
  describe("identity", () => {
    const scene = useStore(open);
    describe("organizations", () => {
      orgTests(scene);
    });
    describe("members", () => {
      memberTests(scene);
    });
    describe("roles", () => {
      roleTests(scene);
    });
  });
}

function orgTests(scene: () => Scene): void {
  it("are made with their first owner's invitation, and tell of it in their own log", async () => {
    const here = scene();
    const tenant = await Tenant.of(here.neighbour());
    const owner = tenant.invitation({ role: "owner" });
    const other = await Tenant.of(here);
    expect(await other.identity.findOrg()).toMatchObject({
      id: here.orgId,
      name: "Acme",
      status: "active",
      settings: {},
      createdAt: here.clock.now(),
    });
    const orgId = newId("org");
    const made = await other.system.createOrg({
      orgId,
      caller: "org_home",
      slug: newId("org").replace("_", "-"),
      name: "Next",
      owner,
      audit: entry("org.created"),
    });
    expect(made.replayed).toBe(false);
    const next = here.store.org(orgId);
    expect((await next.identity.listInvitations({ limit: 5 })).items).toMatchObject([
      { id: owner.id, role: "owner", orgId },
    ]);
    expect((await next.audit.list({ limit: 5 })).items.map(({ action }) => action)).toEqual(["org.created"]);
  });

  it("have slugs of their own, and are made once for an idempotency key", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const slug = `slug-${newId("org").slice(4)}`;
    const idempotency = { scope: "s", key: newId("request"), bodyHash: "h" };
    const create = () =>
      tenant.system.createOrg({
        orgId: newId("org"),
        caller: here.orgId,
        slug,
        name: "Once",
        idempotency,
        audit: entry(),
      });
    const first = await create();
    expect(await create()).toEqual({ result: first.result, replayed: true });
    expect(await refusal(tenant.identity.updateOrg({ slug, audit: entry() }))).toBe("org_slug_taken");
    expect((await tenant.system.findOrgBySlug(slug))?.id).toBe(first.result.id);
    expect(await tenant.system.findOrgBySlug(`${slug}-not`)).toBeNull();
  });

  it("change what is named and keep the rest", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const change = (rest: object) => tenant.identity.updateOrg({ ...rest, audit: entry("org.updated") });
    await change({ settings: { a: 1, b: [2] } });
    await here.clock.advance(1_000);
    expect(await change({ name: "Renamed", settings: { a: null, c: true } })).toMatchObject({
      name: "Renamed",
      settings: { b: [2], c: true },
      status: "active",
      updatedAt: here.clock.now(),
    });
    expect(await change({ status: "suspended" })).toMatchObject({ status: "suspended", name: "Renamed" });
    expect(await tenant.audited("org.updated")).toBe(3);
    expect(
      await here.store.org(newId("org")).identity.updateOrg({ name: "None", audit: entry() }),
    ).toBeNull();
  });

  it("are listed page by page for the operator; the server's own is never suspended", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const home = await here.store.system.singleTenant();
    const suspend = { status: "suspended", audit: entry() } as const;
    expect(await refusal(here.store.org(home.orgId).identity.updateOrg(suspend))).toBe("home_org");
    const ids: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await tenant.system.listOrgs({ limit: 2, ...(after && { after }) });
      ids.push(...page.items.map(({ id }) => id));
      if (page.next === null) break;
      after = page.next;
    }
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(ids).toContain(here.orgId);
    expect(ids).toContain(home.orgId);
  });

  it("say who somebody is, and that nobody is anything in one that is suspended", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const { id } = await tenant.person({ role: "admin" });
    const standing = () => tenant.system.findStanding({ orgId: here.orgId, type: "user", id });
    expect(await standing()).toEqual({
      orgId: here.orgId,
      orgStatus: "active",
      orgSettings: {},
      type: "user",
      id,
      name: "Ada",
      role: "admin",
      rolePermissions: null,
      active: true,
    });
    await tenant.identity.updateOrg({ status: "suspended", audit: entry() });
    expect(await standing()).toMatchObject({ orgStatus: "suspended", active: false });
    expect(await tenant.system.listMemberships(id)).toEqual([]);
    const other = here.neighbour().orgId;
    expect(await tenant.system.findStanding({ orgId: other, type: "user", id })).toBeNull();
  });
}

function memberTests(scene: () => Scene): void {
  it("are listed in the order of their ids, and found by email", async () => {
    const tenant = await Tenant.of(scene());
    const email = `${newId("user")}@example.org`;
    const people = [await tenant.person(), await tenant.person({ email }), await tenant.person()];
    const ids = people.map(({ id }) => id).toSorted();
    const first = await tenant.identity.listMembers({ limit: 2 });
    expect(first.items.map(({ userId }) => userId)).toEqual(ids.slice(0, 2));
    const rest = await tenant.identity.listMembers({ limit: 2, after: first.next ?? "" });
    expect(rest).toMatchObject({ items: [{ userId: ids[2] }], next: null });
    expect((await tenant.identity.listMembers({ limit: 5, email })).items).toMatchObject([
      { email, role: "member", status: "active" },
    ]);
  });

  it("keep an owner: the last one that is active stays", async () => {
    const tenant = await Tenant.of(scene());
    const [one, two] = [await tenant.person({ role: "owner" }), await tenant.person({ role: "owner" })];
    const change = (userId: string, rest: object) =>
      tenant.identity.updateMember({ userId, ...rest, audit: entry("member.updated") });
    expect(await change(one.id, { status: "suspended" })).toMatchObject({ status: "suspended" });
    expect(await refusal(change(two.id, { role: "admin" }))).toBe("last_owner");
    expect(await refusal(change(two.id, { status: "suspended" }))).toBe("last_owner");
    expect(await refusal(tenant.identity.removeMember({ userId: two.id, audit: entry() }))).toBe(
      "last_owner",
    );
    expect(await tenant.audited("member.updated")).toBe(1);
    await change(one.id, { status: "active" });
    expect(await change(two.id, { role: "admin" })).toMatchObject({ role: "admin" });
    expect(await refusal(change(one.id, { role: "made-up" }))).toBe("unknown_role");
    expect(await change(newId("user"), { role: "admin" })).toBeNull();
  });

  it("lose their keys, their logins here and their invitations with their membership, and nothing elsewhere", async () => {
    const here = scene();
    const [tenant, other] = [await Tenant.of(here), await Tenant.of(here.neighbour())];
    const subject = newId("user");
    const email = `${subject}@example.org`;
    const { id } = await tenant.person({ subject, email });
    expect((await other.person({ subject })).id).toBe(id);
    const stays = await tenant.person();
    const user = { type: "user", id } as const;
    const keys = [await tenant.key(user), await other.key(user), await tenant.key({ ...user, id: stays.id })];
    const logins = [await tenant.login(id), await tenant.login(id, { orgId: other.orgId })];
    const reset = await tenant.invite({ kind: "reset", email });
    expect(await tenant.identity.removeMember({ userId: id, audit: entry("member.removed") })).toBe(true);
    expect(await tenant.identity.findMember(id)).toBeNull();
    expect((await tenant.identity.findApiKey(keys[0]?.id ?? ""))?.revokedAt).toBe(here.clock.now());
    expect((await other.identity.findApiKey(keys[1]?.id ?? ""))?.revokedAt).toBeNull();
    expect((await tenant.identity.findApiKey(keys[2]?.id ?? ""))?.revokedAt).toBeNull();
    expect(await tenant.system.findLogin(logins[0]?.tokenHash ?? "")).toBeNull();
    expect(await tenant.system.findLogin(logins[1]?.tokenHash ?? "")).toMatchObject({ userId: id });
    expect(await tenant.system.findInvitation(reset.tokenHash)).toBeNull();
    expect(await other.identity.findMember(id)).toMatchObject({ status: "active" });
    expect(await tenant.identity.removeMember({ userId: id, audit: entry("member.removed") })).toBe(false);
    expect(await tenant.audited("member.removed")).toBe(1);
  });

  it("leave the account that the admin key stands for as it is", async () => {
    const here = scene();
    const { orgId, userId } = await here.store.system.singleTenant();
    const { identity } = here.store.org(orgId);
    const change = { userId, role: "member", audit: entry() };
    expect(await refusal(identity.updateMember(change))).toBe("operator_account");
    expect(await refusal(identity.removeMember({ userId, audit: entry() }))).toBe("operator_account");
    expect(await here.store.system.singleTenant()).toMatchObject({ orgId, userId });
  });
}

function roleTests(scene: () => Scene): void {
  it("are read with whoever has them, and stay while somebody does", async () => {
    const tenant = await Tenant.of(scene());
    const put = (permissions: readonly string[]) =>
      tenant.identity.putRole({
        name: "auditor",
        description: "reads",
        permissions,
        audit: entry("role.put"),
      });
    expect(await put(["audit:read"])).toMatchObject({ name: "auditor", permissions: ["audit:read"] });
    const { id } = await tenant.person({ role: "auditor" });
    const who = { orgId: tenant.orgId, type: "user", id } as const;
    expect((await tenant.system.findStanding(who))?.rolePermissions).toEqual(["audit:read"]);
    await put(["audit:read", "usage:read"]);
    expect((await tenant.system.findStanding(who))?.rolePermissions).toEqual(["audit:read", "usage:read"]);
    const remove = () => tenant.identity.deleteRole({ name: "auditor", audit: entry("role.deleted") });
    expect(await refusal(remove())).toBe("role_in_use");
    await tenant.identity.updateMember({ userId: id, role: "viewer", audit: entry() });
    const invitation = await tenant.invite({ role: "auditor" });
    expect(await refusal(remove())).toBe("role_in_use");
    await tenant.identity.revokeInvitation({ id: invitation.id, audit: entry() });
    expect(await remove()).toBe(true);
    expect(await remove()).toBe(false);
    expect(await tenant.identity.listRoles()).toEqual([]);
    expect([await tenant.audited("role.put"), await tenant.audited("role.deleted")]).toEqual([2, 1]);
  });
}
