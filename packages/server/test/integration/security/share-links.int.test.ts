import { describe, expect, it } from "vitest";
import { openWs } from "../../support/follow/ws-client.ts";
import { openStream } from "../../support/identity/open-stream.ts";
import { as, join, loggedIn, made } from "../../support/security/people.ts";
import { maker } from "../../support/security/things.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

interface Link {
  readonly id: string;
  readonly token: string;
  readonly uses: number;
  readonly revokedAt: string | null;
}

/** Seconds may pass until an open stream ends. */
const soon = { timeout: 8_000, interval: 20 };

describe("a share link", { timeout: 30_000 }, () => {
  const world = useTwoOrgs();
  const get = (key: string, path: string) => world().call(key, { method: "GET", path: `/api/v1${path}` });

  async function shared(): Promise<{ sessionId: string; link: Link; path: string }> {
    const { call, a, canaries } = world();
    const member = maker(call, a.people.member.key);
    const { id: sessionId } = await member("POST", "/sessions", { agent: "helper", input: a.mark });
    const path = `/sessions/${sessionId}/share-links`;
    const link = (await member("POST", path, {})) as unknown as Link;
    canaries.keep(`link of ${sessionId}`, link.token);
    return { sessionId, link, path };
  }

  it("reads its session, though that is private, and says so in no list", async () => {
    const { sessionId, link, path } = await shared();
    const { people } = world().a;
    expect((await get(people.viewer.key, `/sessions/${sessionId}`)).status).toBe(404);
    const log = await get(link.token, `/sessions/${sessionId}/events`);
    expect([log.status, log.text]).toEqual([200, expect.stringContaining(world().a.mark)]);
    const { text } = await get(people.member.key, path);
    expect(text).toContain(link.id);
    expect(text).not.toContain(link.token);
  });

  it("opens nothing once it is revoked, and ends the streams that it opened", async () => {
    const { sessionId, link, path } = await shared();
    const { call, a } = world();
    const stream = await openStream(`${world().url}/api/v1/sessions/${sessionId}/events/stream`, {
      authorization: `Bearer ${link.token}`,
    });
    expect(stream.status).toBe(200);
    const revoke = { method: "DELETE", path: `/api/v1${path}/${link.id}` };
    expect((await call(a.people.member.key, revoke)).status).toBe(204);
    expect((await call(a.people.member.key, revoke)).code).toBe("share_link_not_found");
    const refused = await get(link.token, `/sessions/${sessionId}`);
    expect([refused.status, refused.code]).toEqual([401, "unauthenticated"]);
    await expect.poll(() => stream.ended, soon).toContain("access_revoked");
  });

  it("opens nothing once its session is gone", async () => {
    const { sessionId, link } = await shared();
    const { call, a } = world();
    await call(a.people.member.key, { method: "DELETE", path: `/api/v1/sessions/${sessionId}` });
    expect((await get(link.token, `/sessions/${sessionId}`)).status).toBe(401);
  });

  it("opens nothing once whoever made it is suspended or gone", async () => {
    const admin = as(world(), world().a.people.admin.key);
    const who = { email: "leaver@people.example", password: "correct horse battery" };
    const { userId } = await join(world(), admin, who);
    const leaver = await loggedIn(world(), who);
    const ends = [
      () => admin.patch(`/members/${userId}`, { status: "suspended" }),
      () => admin.delete(`/members/${userId}`),
    ];
    for (const end of ends) {
      const { id } = made<{ id: string }>(await leaver.post("/sessions", { agent: "helper" }));
      const { token } = made<Link>(await leaver.post(`/sessions/${id}/share-links`, {}));
      world().canaries.keep(`link of ${id}`, token);
      expect((await get(token, `/sessions/${id}`)).status).toBe(200);
      expect((await end()).status).toBeLessThan(300);
      expect((await get(token, `/sessions/${id}`)).status).toBe(401);
      await admin.patch(`/members/${userId}`, { status: "active" });
    }
  });

  it("is a request's own: repeated with its key it gives no second token", async () => {
    const { path } = await shared();
    const { call, a } = world();
    const ask = { method: "POST", path: `/api/v1${path}`, headers: { "idempotency-key": "once" } };
    const first = JSON.parse((await call(a.people.member.key, ask)).text) as Link;
    const again = await call(a.people.member.key, ask);
    expect([again.status, again.code]).toEqual([409, "already_created"]);
    expect(again.text).toContain(first.id);
    expect(again.text).not.toContain(first.token);
    world().canaries.keep("link made once", first.token);
  });

  it("lasts 30 days at most", async () => {
    const { path } = await shared();
    const { call, a } = world();
    const day = 86_400_000;
    const ask = (expiresInMs: number) =>
      call(a.people.member.key, { method: "POST", path: `/api/v1${path}`, body: { expiresInMs } });
    expect((await ask(30 * day)).status).toBe(201);
    expect((await ask(30 * day + 1)).status).toBe(422);
  });

  it("follows its session over a WebSocket, and hears of nothing else", async () => {
    const { sessionId, link } = await shared();
    const { port, a } = world();
    const socket = openWs(port, "/ws", { authorization: `Bearer ${link.token}` });
    await socket.status;
    socket.send({ op: "subscribe", id: "own", sessionId });
    await socket.until("event", ({ id }) => id === "own");
    socket.send({ op: "subscribe", id: "other", sessionId: a.things.sessionId });
    socket.send({ op: "subscribe", id: "sessions", topic: "sessions" });
    socket.send({ op: "subscribe", id: "approvals", topic: "approvals" });
    const events = [{ type: "system.message", content: "hello" }] as const;
    socket.send({ op: "send", id: "send", sessionId, events: [...events] });
    const codes = [];
    for (const refused of ["other", "sessions", "approvals", "send"]) {
      codes.push((await socket.until("error", ({ id }) => id === refused)).code);
    }
    expect(codes).toEqual(["session_not_found", "forbidden", "forbidden", "forbidden"]);
    socket.socket.terminate();
  });
});
