import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { entry, hourMs, Tenant } from "./identity-scene.conformance.ts";
import { type OpenStore, refusal, useStore } from "./scene.conformance.ts";

export function peopleConformance(open: OpenStore): void {
  describe("people that an identity provider sends", () => {
    const scene = useStore(open);
    it("are known again by their subject, and changed only when the provider says roles", async () => {
      const here = scene();
      const tenant = await Tenant.of(here);
      const subject = newId("user");
      const made = await tenant.person({ subject });
      expect(await tenant.person({ subject, role: "admin" })).toEqual(made);
      expect(await tenant.audited("member.provisioned")).toBe(1);
      const identity = { source: "jwt", issuer: "https://idp.example", subject };
      const change = { orgId: here.orgId, userId: newId("user"), name: "x", email: null, identity };
      await tenant.system.provision({
        ...change,
        emailVerified: false,
        role: "admin",
        updateRole: true,
        audit: entry("member.provisioned"),
      });
      expect(await tenant.identity.findMember(made.id)).toMatchObject({ role: "admin", name: "Ada" });
      expect(await tenant.audited("member.provisioned")).toBe(2);
      expect(await tenant.system.findAccountByIdentity(identity)).toMatchObject({ id: made.id });
      expect(await tenant.system.findAccountByIdentity({ ...identity, issuer: "https://other" })).toBeNull();
    });

    it("are not who they say unless their email is verified", async () => {
      const here = scene();
      const tenant = await Tenant.of(here);
      const person = await tenant.invited();
      const fake = await tenant.system.provision({
        orgId: here.orgId,
        userId: newId("user"),
        name: "Mallory",
        role: "member",
        updateRole: false,
        email: person.email,
        emailVerified: false,
        audit: entry(),
        identity: { source: "jwt", issuer: "https://idp.example", subject: newId("user") },
      });
      expect(fake).toMatchObject({ email: null, emailVerified: false });
      expect(fake.id).not.toBe(person.id);
    });

    it("join no organization that is being erased", async () => {
      const here = scene();
      const tenant = await Tenant.of(here);
      const erasure = {
        id: newId("receipt"),
        scope: "org",
        target: here.orgId,
        requestedBy: "usr_1",
      } as const;
      await here.org.data.createErasure({ record: { ...erasure, toldTo: here.orgId }, audit: entry() });
      const subject = newId("user");
      expect(await refusal(tenant.person({ subject }))).toBe("org_erasing");
      const identity = { source: "jwt", issuer: "https://idp.example", subject };
      expect(await tenant.system.findAccountByIdentity(identity)).toBeNull();
    });

    it("take over an email that somebody had only claimed, whose password, logins and keys end", async () => {
      const tenant = await Tenant.of(scene());
      const claimed = await tenant.invited();
      const key = await tenant.key({ type: "user", id: claimed.id });
      const login = await tenant.login(claimed.id);
      const rightful = await tenant.person({ email: claimed.email ?? "" });
      expect(rightful).toMatchObject({ id: claimed.id, emailVerified: true, passwordHash: null });
      expect(await tenant.system.findLogin(login.tokenHash)).toBeNull();
      expect((await tenant.identity.findApiKey(key.id))?.revokedAt).not.toBeNull();
      expect((await tenant.person({ email: claimed.email ?? "" })).id).toBe(claimed.id);
    });
  });

  describe("the first owner of an organization", () => {
    const scene = useStore(open);
    it("is made once, whoever the operator is, and takes nobody's email", async () => {
      const here = scene();
      const tenant = await Tenant.of(here);
      const { system } = tenant;
      const stranger = await tenant.invited();
      const change = { orgId: here.orgId, name: "Ada", passwordHash: "hash", audit: entry("owner.set_up") };
      const email = "first@acme.example";
      await expect(
        system.setUpOwner({ ...change, userId: newId("user"), email: stranger.email ?? "" }),
      ).rejects.toMatchObject({ code: "email_taken" });
      const userId = newId("user");
      expect(await system.setUpOwner({ ...change, userId, email })).toMatchObject({
        id: userId,
        operator: false,
      });
      expect(await tenant.identity.findMember(userId)).toMatchObject({ role: "owner", email });
      expect(
        await system.setUpOwner({ ...change, userId: newId("user"), email: "b@acme.example" }),
      ).toBeNull();
      expect(await tenant.audited("owner.set_up")).toBe(1);
    });
  });

  describe("logins", () => {
    const scene = useStore(open);
    it("last until they expire, are ended, or the password changes", async () => {
      const here = scene();
      const tenant = await Tenant.of(here);
      const person = await tenant.invited();
      const [one, two, three] = [
        await tenant.login(person.id),
        await tenant.login(person.id),
        await tenant.login(person.id),
      ];
      expect((await tenant.system.findAccount(person.id))?.lastLoginAt).toBe(here.clock.now());
      const { system } = tenant;
      expect((await system.listLogins(person.id)).map(({ id }) => id).toSorted()).toEqual(
        [one.id, two.id, three.id].toSorted(),
      );
      const audited = { orgId: here.orgId, audit: entry("login.ended") };
      expect(await system.endLogins({ userId: newId("user"), id: one.id }, audited)).toBe(0);
      expect(await system.endLogins({ userId: person.id, id: one.id }, audited)).toBe(1);
      expect(await tenant.audited("login.ended")).toBe(1);
      const change = { orgId: here.orgId, userId: person.id, passwordHash: "new", keepLogin: two.id };
      expect(await system.setPassword({ ...change, audit: entry() })).toBe(true);
      expect(await system.findLogin(three.tokenHash)).toBeNull();
      const at = here.clock.now() + 10;
      await system.touchLogin({ id: two.id, at, expiresAt: at + hourMs, orgId: "org_2" });
      expect(await system.findLogin(two.tokenHash)).toMatchObject({ orgId: "org_2", lastSeenAt: at });
      await here.clock.advance(hourMs + 10);
      expect(await system.findLogin(two.tokenHash)).toBeNull();
      expect(await system.pruneIdentity(100)).toBeGreaterThan(0);
      expect(await system.setPassword({ ...change, userId: newId("user"), audit: entry() })).toBe(false);
    });
  });
}
