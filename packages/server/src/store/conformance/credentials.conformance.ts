import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { entry, hourMs, newPrefix, Tenant } from "./identity-scene.conformance.ts";
import { type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

export function credentialsConformance(open: OpenStore): void {
  describe("credentials", () => {
    const scene = useStore(open);
    describe("API keys", () => {
      keyTests(scene);
    });
    describe("service accounts", () => {
      serviceTests(scene);
    });
    describe("isolation", () => {
      isolationTests(scene);
    });
  });
}

function keyTests(scene: () => Scene): void {
  it("are found by their prefix, with whose they are", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const { id } = await tenant.person();
    const prefix = newPrefix();
    const key = await tenant.key({ type: "user", id }, { prefix, scopes: ["session:read"] });
    expect(key).toMatchObject({ prefix, scopes: ["session:read"], lastUsedAt: null, revokedAt: null });
    const found = await tenant.system.findApiKey(prefix);
    expect(found).toMatchObject({ key, hash: "hash", standing: { id, active: true } });
    expect(JSON.stringify(key)).not.toContain("hash");
    expect(await tenant.system.findApiKey(newPrefix())).toBeNull();
    const at = here.clock.now() + 5;
    await tenant.system.touchApiKeys([{ orgId: here.orgId, id: key.id, at }]);
    await tenant.system.touchApiKeys([{ orgId: here.orgId, id: key.id, at: at - 1 }]);
    expect((await tenant.identity.findApiKey(key.id))?.lastUsedAt).toBe(at);
  });

  it("are made for active members and service accounts alone, and once for an idempotency key", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const stranger = await (await Tenant.of(here.neighbour())).person();
    const robot = await tenant.service();
    expect(await refusal(tenant.key({ type: "user", id: stranger.id }))).toBe("unknown_principal");
    expect(await refusal(tenant.key({ type: "user", id: robot.id }))).toBe("unknown_principal");
    await tenant.identity.updateServiceAccount({ id: robot.id, status: "disabled", audit: entry() });
    expect(await refusal(tenant.key({ type: "service", id: robot.id }))).toBe("unknown_principal");
    await tenant.identity.updateServiceAccount({ id: robot.id, status: "active", audit: entry() });
    const create = () =>
      tenant.identity.createApiKey({
        id: newId("apiKey"),
        prefix: newPrefix(),
        hash: "h",
        name: "ci",
        scopes: null,
        expiresAt: null,
        principalType: "service",
        principalId: robot.id,
        createdBy: "usr_1",
        idempotency: { scope: "s", key: "once", bodyHash: "b" },
        audit: entry("api_key.created"),
      });
    const first = await create();
    expect(await create()).toEqual({ result: first.result, replayed: true });
    expect(await tenant.audited("api_key.created")).toBe(1);
  });

  it("are rotated with an overlap, once", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const { id } = await tenant.person();
    const old = await tenant.key({ type: "user", id }, { scopes: ["agent:read"] });
    const rotate = (keyId: string, expiresAt: number | null = null) =>
      tenant.identity.rotateApiKey({
        id: keyId,
        replacement: { id: newId("apiKey"), prefix: newPrefix(), hash: "next", createdBy: "usr_2" },
        overlapUntil: here.clock.now() + hourMs,
        expiresAt,
        audit: entry("api_key.rotated"),
      });
    const { result: next } = await rotate(old.id);
    expect(next).toMatchObject({
      name: old.name,
      principalId: id,
      scopes: ["agent:read"],
      createdBy: "usr_2",
      replacedBy: null,
      expiresAt: null,
    });
    expect(await tenant.identity.findApiKey(old.id)).toMatchObject({
      replacedBy: next.id,
      expiresAt: here.clock.now() + hourMs,
    });
    expect(await refusal(rotate(old.id))).toBe("api_key_replaced");
    expect(await tenant.identity.countApiKeys()).toBe(2);
    await here.clock.advance(hourMs);
    expect(await tenant.identity.countApiKeys()).toBe(1);
    expect(await refusal(rotate(old.id))).toBe("api_key_not_found");
    const short = await tenant.key({ type: "user", id }, { expiresAt: here.clock.now() + 10 });
    await rotate(short.id, here.clock.now() + 5 * hourMs);
    expect((await tenant.identity.findApiKey(short.id))?.expiresAt).toBe(here.clock.now() + 10);
    expect(await tenant.audited("api_key.rotated")).toBe(2);
  });

  it("are revoked for good and listed newest first", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const [one, two] = [await tenant.person(), await tenant.person()];
    const keys = [
      await tenant.key({ type: "user", id: one.id }),
      await tenant.key({ type: "user", id: two.id }),
      await tenant.key({ type: "user", id: one.id }),
    ];
    const ids = keys
      .map(({ id }) => id)
      .toSorted()
      .toReversed();
    const first = await tenant.identity.listApiKeys({ limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const rest = await tenant.identity.listApiKeys({ limit: 2, after: first.next ?? "" });
    expect(rest.items.map(({ id }) => id)).toEqual(ids.slice(2));
    const own = await tenant.identity.listApiKeys({ limit: 5, principalId: two.id });
    expect(own.items.map(({ id }) => id)).toEqual([keys[1]?.id]);
    const revoke = { id: ids[0] ?? "", audit: entry() };
    const revokedAt = here.clock.now();
    expect(await tenant.identity.revokeApiKey(revoke)).toMatchObject({ revokedAt });
    await here.clock.advance(1_000);
    expect(await tenant.identity.revokeApiKey({ ...revoke, audit: entry() })).toMatchObject({ revokedAt });
    expect(await tenant.identity.revokeApiKey({ id: newId("apiKey"), audit: entry() })).toBeNull();
    expect(await tenant.identity.countApiKeys()).toBe(2);
  });
}

function serviceTests(scene: () => Scene): void {
  it("are known by one certificate each", async () => {
    const tenant = await Tenant.of(scene());
    const [fingerprint, name] = [newId("request"), `DNS:${newId("request")}`];
    const certificates = [
      { kind: "fingerprint", value: fingerprint },
      { kind: "name", value: name },
    ] as const;
    const robot = await tenant.service("robot", [...certificates]);
    expect(robot.certificates).toEqual(expect.arrayContaining([...certificates]));
    expect(await tenant.system.findByCertificate(certificates)).toMatchObject({
      id: robot.id,
      type: "service",
    });
    expect(await tenant.system.findByCertificate([{ kind: "name", value: fingerprint }])).toBeNull();
    expect(await refusal(tenant.service("other", [certificates[1]]))).toBe("certificate_taken");
    expect(await refusal(tenant.service("robot"))).toBe("service_account_name_taken");
    const other = await tenant.service("other", [{ kind: "name", value: `DNS:${newId("request")}` }]);
    expect(await tenant.system.findByCertificate([...certificates, ...other.certificates])).toBeNull();
    const change = { id: robot.id, certificates: [certificates[0]], audit: entry() };
    expect((await tenant.identity.updateServiceAccount(change))?.certificates).toEqual([certificates[0]]);
    expect(await tenant.system.findByCertificate([certificates[1]])).toBeNull();
  });

  it("lose keys and certificates when they go", async () => {
    const here = scene();
    const tenant = await Tenant.of(here);
    const certificate = { kind: "name", value: `DNS:${newId("request")}` } as const;
    const robot = await tenant.service("robot", [certificate]);
    const key = await tenant.key({ type: "service", id: robot.id });
    const list = await tenant.identity.listServiceAccounts({ limit: 5 });
    expect(list).toEqual({ items: [robot], next: null });
    const remove = () => tenant.identity.deleteServiceAccount({ id: robot.id, audit: entry("gone") });
    expect(await remove()).toBe(true);
    expect(await remove()).toBe(false);
    expect(await tenant.audited("gone")).toBe(1);
    expect((await tenant.system.findApiKey(key.prefix))?.standing).toBeNull();
    expect((await tenant.identity.findApiKey(key.id))?.revokedAt).toBe(here.clock.now());
    expect(await tenant.system.findByCertificate([certificate])).toBeNull();
  });
}

function isolationTests(scene: () => Scene): void {
  it("I10: another organization reads and changes nothing with this one's ids", async () => {
    const here = scene();
    const [tenant, other] = [await Tenant.of(here), await Tenant.of(here.neighbour())];
    const person = await tenant.invited();
    const robot = await tenant.service();
    const key = await tenant.key({ type: "user", id: person.id });
    const invitation = await tenant.invite();
    await tenant.identity.putRole({ name: "auditor", description: "", permissions: [], audit: entry() });
    const all = async ({ identity }: Tenant) => ({
      org: await identity.findOrg(),
      member: await identity.findMember(person.id),
      members: await identity.listMembers({ limit: 9 }),
      account: await identity.findServiceAccount(robot.id),
      accounts: await identity.listServiceAccounts({ limit: 9 }),
      key: await identity.findApiKey(key.id),
      keys: await identity.listApiKeys({ limit: 9 }),
      invitation: await identity.findInvitation(invitation.id),
      invitations: await identity.listInvitations({ limit: 9 }),
      roles: await identity.listRoles(),
    });
    const before = await all(tenant);
    const none = { items: [], next: null };
    expect(await all(other)).toEqual({
      org: await other.identity.findOrg(),
      member: null,
      members: none,
      account: null,
      accounts: none,
      key: null,
      keys: none,
      invitation: null,
      invitations: none,
      roles: [],
    });
    const audit = entry("stranger");
    const { identity } = other;
    expect(await identity.updateMember({ userId: person.id, role: "owner", audit })).toBeNull();
    expect(await identity.removeMember({ userId: person.id, audit })).toBe(false);
    expect(await identity.revokeInvitation({ id: invitation.id, audit })).toBe(false);
    expect(await identity.updateServiceAccount({ id: robot.id, role: "owner", audit })).toBeNull();
    expect(await identity.deleteServiceAccount({ id: robot.id, audit })).toBe(false);
    expect(await identity.revokeApiKey({ id: key.id, audit })).toBeNull();
    expect(await identity.deleteRole({ name: "auditor", audit })).toBe(false);
    expect(await identity.isOnlyHere(person.id)).toBe(false);
    const replacement = { id: newId("apiKey"), prefix: newPrefix(), hash: "h", createdBy: "usr_1" };
    const rotation = { id: key.id, replacement, overlapUntil: 0, expiresAt: null, audit };
    expect(await refusal(identity.rotateApiKey(rotation))).toBe("api_key_not_found");
    const as = { kind: "new", userId: newId("user"), name: "M", passwordHash: "p" } as const;
    const stolen = { orgId: other.orgId, tokenHash: invitation.tokenHash, as, audit };
    expect(await refusal(other.system.acceptInvitation(stolen))).toBe("invitation_invalid");
    expect(await all(tenant)).toEqual(before);
    expect([await tenant.audited("stranger"), await other.audited("stranger")]).toEqual([0, 0]);
  });
}
