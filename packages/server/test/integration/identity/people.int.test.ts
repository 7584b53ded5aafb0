import type { CreateInvitationReply, Invitation, Member, Page, User } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { as, type Caller, join, loggedIn, made, newKey } from "../../support/security/people.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();
const of = (role: "owner" | "admin" | "member" | "viewer"): Caller => as(world(), world().a.people[role].key);
const password = "correct horse battery";
let count = 0;
const address = () => `person${(count += 1)}@people.example`;

/** The actions that the organization's audit log has since, newest first. */
async function audited(): Promise<readonly string[]> {
  const { items } = made<Page<{ action: string }>>(await of("owner").get("/audit-log?limit=200"), 200);
  return items.map(({ action }) => action);
}

describe("invitations", () => {
  it("bring somebody in once, and each change is in the audit log once", async () => {
    const before = (await audited()).length;
    const email = address();
    const { userId, invitation } = await join(world(), of("admin"), { email, role: "viewer", password });
    expect(invitation).toMatchObject({ kind: "join", email, role: "viewer", acceptedAt: null });
    const found = made<Page<Member>>(await of("member").get(`/members?email=${email}`), 200);
    expect(found.items).toMatchObject([{ id: userId, role: "viewer", status: "active" }]);
    const again = await as(world(), null).post("/invitations/accept", { token: invitation.token, password });
    expect([again.status, again.code]).toEqual([404, "invitation_invalid"]);
    const log = await audited();
    expect(log.slice(0, log.length - before)).toEqual(["invitation.accepted", "member.invited"]);
    expect((await of("admin").get("/invitations")).text).not.toContain(invitation.token);
  });

  it("are shown once: a repeated request learns only what was made", async () => {
    const headers = { "idempotency-key": "same-invitation" };
    const admin = as(world(), world().a.people.admin.key, headers);
    const body = { kind: "join", email: address() };
    const first = made<CreateInvitationReply>(await admin.post("/invitations", body));
    const second = await admin.post("/invitations", body);
    expect([second.status, second.code]).toEqual([409, "already_created"]);
    expect(second.text).toContain(first.id);
    expect(second.text).not.toContain(first.token);
  });

  it("are taken back, and then worth nothing", async () => {
    const reply = await of("admin").post("/invitations", { kind: "join", email: address() });
    const { id, token } = made<CreateInvitationReply>(reply);
    const list = () => of("admin").get("/invitations?open=true");
    expect((await list()).text).toContain(id);
    expect((await of("admin").delete(`/invitations/${id}`)).status).toBe(204);
    expect((await of("admin").delete(`/invitations/${id}`)).code).toBe("invitation_not_found");
    expect((await list()).text).not.toContain(id);
    const taken = await as(world(), null).post("/invitations/accept", { token, password });
    expect(taken.code).toBe("invitation_invalid");
  });

  it("let nobody into an account that there is without its password", async () => {
    const email = address();
    const { userId } = await join(world(), as(world(), world().b.people.admin.key), { email, password });
    const reply = await of("admin").post("/invitations", { kind: "join", email });
    const { token, id } = made<CreateInvitationReply>(reply);
    const open = as(world(), null);
    const other = await open.post("/invitations/accept", { token, password: "something else entirely" });
    expect([other.status, other.code]).toEqual([403, "wrong_password"]);
    const own = await open.post("/invitations/accept", { token, password });
    expect(made<{ userId: string }>(own, 200).userId).toBe(userId);
    const { items } = made<Page<Invitation>>(await of("admin").get("/invitations"), 200);
    expect(items.find((invitation) => invitation.id === id)?.acceptedAt).not.toBeNull();
  });

  it("to choose a new password are for those whom one organization alone looks after", async () => {
    const email = address();
    const { userId } = await join(world(), of("admin"), { email, password });
    const reset = () => of("admin").post("/invitations", { kind: "reset", userId });
    const { token } = made<CreateInvitationReply>(await reset());
    const weak = await as(world(), null).post("/invitations/accept", { token, password: "short" });
    expect([weak.status, weak.code]).toEqual([422, "weak_password"]);
    const next = "another battery staple";
    made(await as(world(), null).post("/invitations/accept", { token, password: next }), 200);
    await join(world(), as(world(), world().b.people.admin.key), { email, password: next });
    const refused = await reset();
    expect([refused.status, refused.code]).toEqual([409, "not_managed_here"]);
    const operator = as(world(), world().adminKey, { "x-berth-org": "alpha" });
    made(await operator.post("/invitations", { kind: "reset", userId }));
  });
});

describe("members", () => {
  it("are suspended and resumed, and their keys with them", async () => {
    const email = address();
    const { userId } = await join(world(), of("admin"), { email, password });
    const { key } = await newKey(world(), await loggedIn(world(), { email, password }), {});
    const me = () => as(world(), key).get("/me");
    expect((await me()).status).toBe(200);
    made(await of("admin").patch(`/members/${userId}`, { status: "suspended" }), 200);
    expect((await me()).status).toBe(401);
    made(await of("admin").patch(`/members/${userId}`, { status: "active" }), 200);
    expect((await me()).status).toBe(200);
    expect((await of("admin").delete(`/members/${userId}`)).status).toBe(204);
    expect((await me()).status).toBe(401);
    expect((await of("admin").get(`/members/${userId}`)).code).toBe("member_not_found");
  });

  it("are not told of to one organization when they log in at another", async () => {
    const email = address();
    const { userId } = await join(world(), of("admin"), { email, password });
    await join(world(), as(world(), world().b.people.admin.key), { email, password });
    const person = await loggedIn(world(), { email, password, org: "alpha" });
    const seen = async (admin: Caller) =>
      made<Member>(await admin.get(`/members/${userId}`), 200).lastLoginAt;
    const elsewhere = as(world(), world().b.people.admin.key);
    expect([await seen(of("admin")), await seen(elsewhere)]).toEqual([expect.any(String), null]);
    made(await person.post("/login/org", { org: "beta" }), 200);
    expect(await seen(elsewhere)).toEqual(expect.any(String));
  });

  it("may leave, but the last owner", async () => {
    const email = address();
    const { userId } = await join(world(), of("admin"), { email, password });
    const { key } = await newKey(world(), await loggedIn(world(), { email, password }), {});
    expect((await as(world(), key).delete(`/members/${userId}`)).status).toBe(204);
    const owner = await of("owner").delete(`/members/${world().a.people.owner.id}`);
    expect([owner.status, owner.code]).toEqual([409, "last_owner"]);
  });
});

describe("one's own account", () => {
  it("is read and renamed by the person alone", async () => {
    const email = address();
    const { userId } = await join(world(), of("admin"), { email, password });
    await join(world(), as(world(), world().b.people.admin.key), { email, password });
    const person = await loggedIn(world(), { email, password, org: "alpha" });
    const account = made<User>(await person.get("/users/me"), 200);
    expect(account.memberships.map(({ org }) => org.slug).toSorted()).toEqual(["alpha", "beta"]);
    const renamed = made<User>(await person.patch("/users/me", { name: "Sam person" }), 200);
    expect([renamed.id, renamed.name]).toEqual([userId, "Sam person"]);
    const own = made<User>(await of("member").get("/users/me"), 200);
    expect(own).toMatchObject({ id: world().a.people.member.id, hasPassword: false });
    expect(own.memberships).toEqual([
      { org: { id: world().a.orgId, slug: "alpha", name: world().a.mark }, role: "member" },
    ]);
    const robot = await as(world(), world().a.service.key).get("/users/me");
    expect([robot.status, robot.code]).toEqual([409, "not_a_person"]);
  });

  it("is not opened by a key, which knows nothing of other organizations", async () => {
    const email = address();
    const { userId } = await join(world(), of("admin"), { email, password });
    await join(world(), as(world(), world().b.people.admin.key), { email, password });
    const person = await loggedIn(world(), { email, password, org: "beta" });
    const { key } = await newKey(world(), person, {});
    const own = made<User>(await as(world(), key).get("/users/me"), 200);
    expect(own).toMatchObject({ id: userId, lastLoginAt: null });
    expect(own.memberships.map(({ org }) => org.slug)).toEqual(["beta"]);
    const refused = [
      await as(world(), key).patch("/users/me", { name: "somebody else" }),
      await as(world(), key).get("/users/me/logins"),
      await as(world(), key).delete("/users/me/logins"),
    ];
    expect(refused.map(({ status, code }) => [status, code])).toEqual(refused.map(() => [403, "forbidden"]));
    expect((await person.get("/me")).status).toBe(200);
  });

  it("keeps its password to who knows it", async () => {
    const email = address();
    await join(world(), of("admin"), { email, password });
    const { key } = await newKey(world(), await loggedIn(world(), { email, password }), {});
    const change = (current: string, next: string) =>
      as(world(), key).put("/users/me/password", { current, new: next });
    expect((await change("not my password", "a new battery staple")).code).toBe("wrong_password");
    expect((await change(password, "short")).code).toBe("weak_password");
    expect((await change(password, "a new battery staple")).status).toBe(204);
    expect((await change(password, "a third battery staple")).code).toBe("wrong_password");
    expect((await of("member").put("/users/me/password", { current: "x", new: "y" })).code).toBe(
      "no_password",
    );
  });
});
