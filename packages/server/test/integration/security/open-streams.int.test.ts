import { describe, expect, it } from "vitest";
import { openWs, type WsClient } from "../../support/follow/ws-client.ts";
import { type OpenStream, openStream } from "../../support/identity/open-stream.ts";
import { keyFor, type Seat } from "../../support/security/tenant.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

const world = useTwoOrgs();

/** A key of its own for a person of the first organization, so that each test can spoil it. */
function newKey(role: "member" | "viewer", area: string, expiresAt?: number): Promise<Seat> {
  const { a, parts } = world();
  const { id } = a.people[role];
  const whose = { orgId: a.orgId, type: "user", id, area } as const;
  return keyFor(parts, { ...whose, ...(expiresAt !== undefined && { expiresAt }) });
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const follow = (key: string, sessionId = world().a.things.sessionId): Promise<OpenStream> =>
  openStream(`${world().url}/api/v1/sessions/${sessionId}/events/stream`, bearer(key));

/** A multiplexed WebSocket that follows the shared session. */
async function socketOf(key: string): Promise<WsClient> {
  const socket = openWs(world().port, "/ws", bearer(key));
  await socket.status;
  socket.send({ op: "subscribe", id: "one", sessionId: world().a.things.sessionId });
  await socket.until("subscribed");
  return socket;
}

function asOwner(method: string, path: string, body?: unknown) {
  const ask = { method, path: `/api/v1${path}`, ...(body !== undefined && { body }) };
  return world().call(world().a.people.owner.key, ask);
}

/** How long something took, milliseconds. */
async function timed(done: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await done;
  return performance.now() - started;
}

describe("NET-01: open streams", () => {
  it("NET-01: end at once when their key is revoked", async () => {
    const { key, keyId } = await newKey("member", "revoked-streams");
    const [stream, socket] = [await follow(key), await socketOf(key)];
    const other = await follow(world().a.people.member.key);
    expect((await asOwner("DELETE", `/api-keys/${keyId}`)).status).toBe(200);
    expect(await timed(Promise.all([stream.ended, socket.closed]))).toBeLessThan(1_500);
    expect(await stream.ended).toContain('event: end\ndata: {"code":"access_revoked"');
    expect(await socket.closed).toBe(4401);
    expect(other.text()).not.toContain("access_revoked");
    other.close();
    expect((await follow(key)).status).toBe(401);
  });

  it("NET-01: end when their credential expires", async () => {
    const expiresAt = Date.now() + 6_000;
    const { key } = await newKey("member", "expiring-streams", expiresAt);
    const [stream, socket] = [await follow(key), await socketOf(key)];
    await Promise.all([stream.ended, socket.closed]);
    const late = Date.now() - expiresAt;
    expect([late >= 0, late < 5_000, late]).toEqual([true, true, late]);
    expect(await stream.ended).toContain("access_revoked");
    expect(await socket.closed).toBe(4401);
  });

  it("NET-01: connect again as what they may do now when a role changes, and not at all when it is taken", async () => {
    const { key, id } = await newKey("member", "changed-streams");
    const socket = await socketOf(key);
    expect((await asOwner("PATCH", `/members/${id}`, { role: "viewer" })).status).toBe(200);
    expect(await socket.closed).toBe(1013);
    expect(socket.frames.at(-1)).toMatchObject({ op: "error", code: "access_changed" });
    const again = await socketOf(key);
    again.send({
      op: "send",
      id: "x",
      sessionId: world().a.things.sessionId,
      events: [{ type: "user.message", content: "hi" }],
    });
    expect(await again.until("error")).toMatchObject({ code: "forbidden" });
    const stream = await follow(key);
    expect((await asOwner("PATCH", `/members/${id}`, { status: "suspended" })).status).toBe(200);
    expect(await again.closed).toBe(4401);
    expect(await stream.ended).toContain("access_revoked");
    await asOwner("PATCH", `/members/${id}`, { status: "active", role: "member" });
  });

  it("NET-01: end when their session is no longer shared, and only for who may not see it then", async () => {
    const { key } = await newKey("viewer", "unshared-streams");
    const owners = world().a.people.member.key;
    const body = { agent: "helper", visibility: "org" };
    const made = await world().call(owners, { method: "POST", path: "/api/v1/sessions", body });
    const { id } = JSON.parse(made.text) as { id: string };
    const [viewers, own] = [await follow(key, id), await follow(owners, id)];
    const socket = openWs(world().port, `/sessions/${id}/ws`, bearer(key));
    const many = await socketOf(key);
    many.send({ op: "subscribe", id: "two", sessionId: id });
    await many.until("subscribed", (frame) => frame.id === "two");
    await socket.until("subscribed");
    const change = { method: "PATCH", path: `/api/v1/sessions/${id}`, body: { visibility: "private" } };
    expect((await world().call(owners, change)).status).toBe(200);
    expect(await viewers.ended).toContain("access_revoked");
    expect(await socket.closed).toBe(4404);
    expect(await many.until("end")).toMatchObject({ id: "two", code: "access_revoked" });
    expect(own.text()).not.toContain("access_revoked");
    own.close();
    many.socket.close();
  });

  it("NET-01: are not opened by a ticket whose maker has lost its key since", async () => {
    const { key, keyId } = await newKey("member", "ticket");
    const ticketOf = async () => {
      const made = await world().call(key, { method: "POST", path: "/api/v1/tickets", body: {} });
      return (JSON.parse(made.text) as { ticket: string }).ticket;
    };
    const good = openWs(world().port, `/ws?ticket=${await ticketOf()}`, {});
    good.send = good.send.bind(good);
    expect(await good.status).toBe(101);
    const late = await ticketOf();
    await asOwner("DELETE", `/api-keys/${keyId}`);
    expect(await openWs(world().port, `/ws?ticket=${late}`, {}).closed).toBe(4401);
    expect(await good.closed).toBe(4401);
  });

  it("NET-01: are not opened by nobody, from foreign pages, or with a token as a sub-protocol", async () => {
    const { key } = world().a.people.member;
    expect(await openWs(world().port, "/ws", {}).closed).toBe(4401);
    for (const origin of ["https://evil.example", "null", `${world().url}.evil.example`]) {
      expect(await openWs(world().port, "/ws", { ...bearer(key), origin }).status).toBe(403);
    }
    const leaked = openWs(world().port, "/ws", { "sec-websocket-protocol": `bearer, ${key}` });
    await leaked.closed;
    expect(leaked.socket.protocol).toBe("");
    expect(leaked.frames.some((frame) => frame.op === "subscribed")).toBe(false);
  });
});
