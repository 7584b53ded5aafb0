import type { CreateApiKeyReply, CreateInvitationReply, ServiceAccount } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { as, type Caller, join, loggedIn, made, newKey } from "../../support/security/people.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();
const of = (role: "owner" | "admin" | "member" | "viewer"): Caller => as(world(), world().a.people[role].key);
const idOf = (role: "owner" | "admin" | "member" | "viewer") => world().a.people[role].id;
const password = "correct horse battery";
let count = 0;
const address = () => `climber${(count += 1)}@people.example`;

describe("nobody climbs", () => {
  it("API-05: an administrator makes no owner and changes none", async () => {
    const admin = of("admin");
    const { userId } = await join(world(), admin, { email: address(), password });
    const refused = [
      await admin.patch(`/members/${userId}`, { role: "owner" }),
      await admin.patch(`/members/${idOf("owner")}`, { role: "viewer" }),
      await admin.patch(`/members/${idOf("owner")}`, { status: "suspended" }),
      await admin.delete(`/members/${idOf("owner")}`),
      await admin.post("/invitations", { kind: "join", email: address(), role: "owner" }),
      await admin.post("/invitations", { kind: "reset", userId: idOf("owner") }),
      await admin.post("/service-accounts", { name: "climber", role: "owner" }),
      await admin.post("/api-keys", { name: "x", owner: idOf("owner") }),
      await admin.delete(`/api-keys/${world().a.people.owner.keyId}`),
      await admin.post(`/api-keys/${world().a.people.owner.keyId}/rotate`),
    ];
    expect(refused.map(({ status, code }) => [status, code])).toEqual(refused.map(() => [403, "forbidden"]));
    expect((await of("owner").get("/me")).status).toBe(200);
    made(await of("owner").patch(`/members/${userId}`, { role: "owner" }), 200);
  });

  it("API-05: nobody changes itself, by any way", async () => {
    for (const role of ["owner", "admin"] as const) {
      for (const body of [{ role: "viewer" }, { role: "owner" }, { status: "suspended" }]) {
        const seen = await of(role).patch(`/members/${idOf(role)}`, body);
        expect([role, seen.status, seen.code]).toEqual([role, 403, "own_membership"]);
      }
    }
    const robot = made<ServiceAccount>(
      await of("admin").post("/service-accounts", { name: "self", role: "admin" }),
    );
    const { key } = await newKey(world(), of("admin"), { owner: robot.id });
    const seen = await as(world(), key).patch(`/service-accounts/${robot.id}`, { role: "viewer" });
    expect([seen.status, seen.code]).toEqual([403, "own_membership"]);
  });

  it("API-05: a role of one's own making allows no more than its maker may", async () => {
    const admin = of("admin");
    const much = await admin.put("/roles/almighty", { permissions: ["data:erase"] });
    expect([much.status, much.code]).toEqual([403, "forbidden"]);
    const never = await of("owner").put("/roles/almighty", { permissions: ["server:manage"] });
    expect([never.status, never.code]).toEqual([422, "unknown_permission"]);
    made(await of("owner").put("/roles/archivist", { permissions: ["data:export"] }), 200);
    const narrowed = await admin.put("/roles/archivist", { permissions: [] });
    const given = await admin.post("/invitations", { kind: "join", email: address(), role: "archivist" });
    const deleted = await admin.delete("/roles/archivist");
    expect([narrowed.status, given.status, deleted.status]).toEqual([403, 403, 403]);
    expect((await admin.put("/roles/owner", { permissions: [] })).code).toBe("builtin_role");
  });

  it("API-05: a key makes no key with more than itself, nor one that outlasts it", async () => {
    const owner = idOf("admin");
    const scopes = ["api-key:write", "api-key:read", "agent:read"];
    const small = await newKey(world(), of("admin"), { owner, scopes, expiresInMs: 3_600_000 });
    const caller = as(world(), small.key);
    const more = await caller.post("/api-keys", { name: "x", scopes: ["agent:write"] });
    expect([more.status, more.code]).toEqual([403, "forbidden"]);
    const all = made<CreateApiKeyReply>(await caller.post("/api-keys", { name: "x" }));
    expect(all.scopes?.toSorted()).toEqual(scopes.toSorted());
    expect(all.expiresAt).toBe(small.expiresAt);
    const longer = await caller.post("/api-keys", { name: "x", expiresInMs: 86_400_000 });
    expect(made<CreateApiKeyReply>(longer).expiresAt).toBe(small.expiresAt);
    const whole = await caller.post(`/api-keys/${world().a.people.admin.keyId}/rotate`);
    expect([whole.status, whole.code]).toEqual([403, "forbidden"]);
    const robot = await caller.post("/api-keys", { name: "x", owner: world().a.service.id });
    expect([robot.status, robot.code]).toEqual([403, "forbidden"]);
    for (const reply of [all, made<CreateApiKeyReply>(await caller.post("/api-keys", { name: "y" }))]) {
      world().canaries.keep(`key ${reply.id}`, reply.key);
    }
  });

  it("API-05: a key without api-key:write makes none at all, and rotates itself", async () => {
    const { id, key } = await newKey(world(), of("admin"), { owner: world().a.service.id });
    const caller = as(world(), key);
    expect((await caller.post("/api-keys", { name: "x" })).status).toBe(403);
    const next = made<CreateApiKeyReply>(await caller.post(`/api-keys/${id}/rotate`));
    world().canaries.keep("rotated by itself", next.key);
    expect(next.owner).toBe(world().a.service.id);
  });

  it("API-05: nobody makes a key for another person, the operator neither", async () => {
    const { userId } = await join(world(), of("admin"), { email: address(), role: "viewer", password });
    const operator = as(world(), world().adminKey, { "x-berth-org": "alpha" });
    for (const maker of [of("owner"), of("admin"), operator]) {
      for (const body of [{ owner: userId }, { owner: userId, scopes: ["session:read"] }]) {
        const seen = await maker.post("/api-keys", { name: "as somebody else", ...body });
        expect([seen.status, seen.code]).toEqual([403, "forbidden"]);
      }
    }
  });

  it("API-05: only the operator names certificates and organizations, and suspends these", async () => {
    const certificates = [{ kind: "name", value: "DNS:worker.beta.example" }];
    const owner = of("owner");
    const refused = [
      await owner.post("/service-accounts", { name: "certified", certificates }),
      await owner.patch(`/service-accounts/${world().a.service.id}`, { certificates }),
      await owner.patch(`/orgs/${world().a.orgId}`, { status: "suspended" }),
      await owner.patch(`/orgs/${world().a.orgId}`, { settings: { weight: 50 } }),
      await owner.patch(`/orgs/${world().a.orgId}`, { slug: "what-a-provider-names" }),
      await owner.post("/orgs", { slug: "another" }),
      await owner.get("/orgs"),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect((await owner.patch(`/orgs/${world().b.orgId}`, { name: "mine" })).code).toBe("org_not_found");
    expect((await owner.get("/orgs/beta")).code).toBe("org_not_found");
  });
});

describe("the operator", () => {
  it("makes an organization whose first owner it invites, and suspends and resumes it", async () => {
    const operator = as(world(), world().adminKey);
    const email = address();
    const owner = { email, name: "First" };
    const reply = await operator.post("/orgs", { slug: "delta", name: "Delta", owner });
    const { org, invitation } = made<{ org: { id: string }; invitation: CreateInvitationReply }>(reply);
    world().canaries.keep("delta's invitation", invitation.token);
    const accepted = await as(world(), null).post("/invitations/accept", {
      token: invitation.token,
      password,
    });
    made(accepted, 200);
    const abroad = as(world(), world().adminKey, { "x-berth-org": "delta" });
    const { key } = await newKey(world(), await loggedIn(world(), { email, password }), {});
    const me = () => as(world(), key).get("/me");
    expect((await me()).text).toContain('"slug":"delta"');
    made(await operator.patch("/orgs/delta", { status: "suspended" }), 200);
    expect((await me()).status).toBe(401);
    expect((await abroad.get("/members")).status).toBe(200);
    made(await operator.patch(`/orgs/${org.id}`, { status: "active" }), 200);
    expect((await me()).status).toBe(200);
    expect((await operator.post("/orgs", { slug: "delta" })).code).toBe("org_slug_taken");
    expect((await operator.patch("/orgs/default", { status: "suspended" })).code).toBe("home_org");
  });
});
