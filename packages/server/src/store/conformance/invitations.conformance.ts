import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { entry, hourMs, Tenant } from "./identity-scene.conformance.ts";
import { type OpenStore, refusal, useStore } from "./scene.conformance.ts";

export function invitationsConformance(open: OpenStore): void {
  describe("invitations", () => {
    const scene = useStore(open);
    it("are taken once, while they are open", async () => {
      const here = scene();
      const tenant = await Tenant.of(here);
      const invitation = await tenant.invite({ role: "admin" });
      expect(await tenant.system.findInvitation(invitation.tokenHash)).toMatchObject({ id: invitation.id });
      const as = { kind: "new", userId: newId("user"), name: "Grace", passwordHash: "first" } as const;
      const account = await tenant.accept(invitation, as);
      expect(account).toMatchObject({ id: as.userId, email: invitation.email, emailVerified: false });
      expect(await tenant.identity.findMember(as.userId)).toMatchObject({ role: "admin", name: "Grace" });
      expect(await refusal(tenant.accept(invitation, as))).toBe("invitation_invalid");
      expect(await tenant.audited("invitation.accepted")).toBe(1);
      const late = await tenant.invite();
      await here.clock.advance(hourMs);
      expect(await tenant.system.findInvitation(late.tokenHash)).toBeNull();
      expect(await refusal(tenant.accept(late, { ...as, userId: newId("user") }))).toBe("invitation_invalid");
      expect(await tenant.identity.revokeInvitation({ id: late.id, audit: entry() })).toBe(false);
    });

    it("give nobody somebody else's account", async () => {
      const here = scene();
      const [tenant, other] = [await Tenant.of(here), await Tenant.of(here.neighbour())];
      const victim = await other.invited();
      const invitation = await tenant.invite({ email: victim.email ?? "" });
      const fresh = { kind: "new", userId: newId("user"), name: "Mallory", passwordHash: "mine" } as const;
      expect(await refusal(tenant.accept(invitation, fresh))).toBe("invitation_invalid");
      const reset = { kind: "reset", userId: victim.id, passwordHash: "mine" } as const;
      expect(await refusal(tenant.accept(invitation, reset))).toBe("invitation_invalid");
      expect(await refusal(tenant.accept(invitation, { kind: "known", userId: newId("user") }))).toBe(
        "invitation_invalid",
      );
      expect((await tenant.system.findAccount(victim.id))?.passwordHash).toBe("first");
      expect(await tenant.accept(invitation, { kind: "known", userId: victim.id })).toMatchObject({
        id: victim.id,
        passwordHash: "first",
        name: "Grace",
      });
    });

    it("to reset a password end the person's logins, and are void once they belong elsewhere or may do more", async () => {
      const here = scene();
      const [tenant, other] = [await Tenant.of(here), await Tenant.of(here.neighbour())];
      const person = await tenant.invited();
      const email = person.email ?? "";
      expect(await tenant.identity.isOnlyHere(person.id)).toBe(true);
      const login = await tenant.login(person.id);
      const again = { kind: "reset", userId: person.id, passwordHash: "second" } as const;
      await tenant.accept(await tenant.invite({ kind: "reset", email }), again);
      expect((await tenant.system.findAccount(person.id))?.passwordHash).toBe("second");
      expect(await tenant.system.findLogin(login.tokenHash)).toBeNull();
      const early = await tenant.invite({ kind: "reset", email });
      await tenant.identity.updateMember({ userId: person.id, role: "admin", audit: entry() });
      expect(await refusal(tenant.accept(early, again))).toBe("invitation_invalid");
      const unused = await tenant.invite({ kind: "reset", email });
      await other.accept(await other.invite({ email }), { kind: "known", userId: person.id });
      expect(await tenant.identity.isOnlyHere(person.id)).toBe(false);
      expect(await refusal(tenant.accept(unused, { ...again, passwordHash: "third" }))).toBe(
        "invitation_invalid",
      );
      expect(await refusal(tenant.invite({ kind: "reset", email: "nobody@example.org" }))).toBe(
        "member_not_found",
      );
    });

    it("replace the open one to the same address, and are listed with those that are closed", async () => {
      const here = scene();
      const tenant = await Tenant.of(here);
      const first = await tenant.invite();
      const second = await tenant.invite({ email: first.email });
      const third = await tenant.invite();
      expect(await tenant.system.findInvitation(first.tokenHash)).toBeNull();
      const all = await tenant.identity.listInvitations({ limit: 2 });
      const rest = await tenant.identity.listInvitations({ limit: 2, after: all.next ?? "" });
      // Ids of one millisecond are in no order.
      const listed = [...all.items, ...rest.items];
      expect([all.items.length, rest.next]).toEqual([2, null]);
      expect(listed.map(({ id }) => id).toSorted()).toEqual([first.id, second.id, third.id].toSorted());
      expect(listed.filter(({ revokedAt }) => revokedAt !== null).map(({ id }) => id)).toEqual([first.id]);
      expect(await tenant.identity.revokeInvitation({ id: third.id, audit: entry() })).toBe(true);
      const left = await tenant.identity.listInvitations({ limit: 5, open: true });
      expect(left.items.map(({ id }) => id)).toEqual([second.id]);
      const member = await tenant.invited();
      expect(await refusal(tenant.invite({ email: member.email ?? "" }))).toBe("already_member");
      expect(await refusal(tenant.invite({ role: "made-up" }))).toBe("unknown_role");
    });

    it("are void once whoever invited is gone, suspended, or may do less", async () => {
      const tenant = await Tenant.of(scene());
      const lost: ((userId: string) => Promise<unknown>)[] = [
        (userId) => tenant.identity.removeMember({ userId, audit: entry() }),
        (userId) => tenant.identity.updateMember({ userId, status: "suspended", audit: entry() }),
        (userId) => tenant.identity.updateMember({ userId, role: "viewer", audit: entry() }),
      ];
      for (const lose of lost) {
        const { id: invitedBy } = await tenant.invited();
        const invitation = await tenant.invite({ invitedBy });
        const other = await tenant.invite();
        await lose(invitedBy);
        expect(await tenant.system.findInvitation(invitation.tokenHash)).toBeNull();
        expect(await tenant.system.findInvitation(other.tokenHash)).not.toBeNull();
      }
      const { id: promoted } = await tenant.invited();
      const kept = await tenant.invite({ invitedBy: promoted });
      await tenant.identity.updateMember({ userId: promoted, role: "owner", audit: entry() });
      expect(await tenant.system.findInvitation(kept.tokenHash)).not.toBeNull();
    });

    it("are not taken where the organization is suspended", async () => {
      const tenant = await Tenant.of(scene());
      const invitation = await tenant.invite();
      await tenant.identity.updateOrg({ status: "suspended", audit: entry() });
      const as = { kind: "new", userId: newId("user"), name: "Grace", passwordHash: "first" } as const;
      expect(await refusal(tenant.accept(invitation, as))).toBe("invitation_invalid");
      expect(await tenant.system.findAccount(as.userId)).toBeNull();
    });
  });
}
