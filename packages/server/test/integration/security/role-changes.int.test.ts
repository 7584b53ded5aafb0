import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { openWs } from "../../support/follow/ws-client.ts";
import { openStream } from "../../support/identity/open-stream.ts";
import { keyFor, newMember, type Seat, type SeatRole } from "../../support/security/tenant.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

/** How long a change may take to reach what is open, milliseconds. */
const soon = { timeout: 5_000, interval: 20 };

describe("a change of what somebody may do", { timeout: 30_000 }, () => {
  const world = useTwoOrgs();
  const asOwner = (method: string, path: string, body?: unknown) => {
    const { call, a } = world();
    return call(a.people.owner.key, { method, path: `/api/v1${path}`, ...(body !== undefined && { body }) });
  };
  const bearer = ({ key }: Seat) => ({ authorization: `Bearer ${key}` });

  async function newPerson(role: SeatRole): Promise<Seat> {
    const { parts, a } = world();
    const email = `${newId("request").slice(-12)}@people.example`;
    const id = await newMember(parts, { orgId: a.orgId, email, role });
    return keyFor(parts, { orgId: a.orgId, type: "user", id, area: email });
  }

  it("API-05: holds for the next request of a key that is in use", async () => {
    const { call, a } = world();
    const person = await newPerson("admin");
    const ask = { method: "GET", path: "/api/v1/audit-log" };
    expect((await call(person.key, ask)).status).toBe(200);
    expect((await asOwner("PATCH", `/members/${person.id}`, { role: "viewer" })).status).toBe(200);
    expect((await call(person.key, ask)).status).toBe(403);
    const session = { method: "GET", path: `/api/v1/sessions/${a.things.adminSessionId}` };
    expect((await call(person.key, session)).status).toBe(404);
    await asOwner("PATCH", `/members/${person.id}`, { status: "suspended" });
    expect((await call(person.key, ask)).status).toBe(401);
  });

  it("API-05: ends streams of sessions that one may not see any more", async () => {
    const { url, a } = world();
    const person = await newPerson("admin");
    const path = (id: string) => `${url}/api/v1/sessions/${id}/events/stream`;
    const stream = await openStream(path(a.things.adminSessionId), bearer(person));
    expect(stream.status).toBe(200);
    await asOwner("PATCH", `/members/${person.id}`, { role: "viewer" });
    const begun = performance.now();
    await stream.ended;
    expect(performance.now() - begun).toBeLessThan(soon.timeout);
    expect((await openStream(path(a.things.adminSessionId), bearer(person))).status).toBe(404);
  });

  it("API-05: takes the right to write from a WebSocket that is open", async () => {
    const { port, a } = world();
    const person = await newPerson("member");
    const socket = openWs(port, "/ws", bearer(person));
    await socket.status;
    const events = [{ type: "system.message" as const, content: "noted" }];
    const send = (id: string) =>
      socket.send({ op: "send", id, sessionId: a.things.sessionId, events: [...events] });
    send("before");
    await socket.until("accepted", ({ id }) => id === "before");
    await asOwner("PATCH", `/members/${person.id}`, { role: "viewer" });
    // It may be closed, to connect again as what it is now, or refuse: it does not write.
    send("after");
    await Promise.race([socket.closed, socket.until("error", ({ id }) => id === "after")]);
    expect(socket.frames.some((frame) => frame.op === "accepted" && frame.id === "after")).toBe(false);
    socket.socket.terminate();
  });

  it("API-05: ends what a removed member has open, and suspends a whole organization", async () => {
    const { url, a, call, adminKey, b } = world();
    const person = await newPerson("viewer");
    const stream = await openStream(
      `${url}/api/v1/sessions/${a.things.sessionId}/events/stream`,
      bearer(person),
    );
    expect((await asOwner("DELETE", `/members/${person.id}`)).status).toBe(204);
    await expect.poll(() => stream.text(), soon).toContain("access_revoked");
    const theirs = await openStream(
      `${url}/api/v1/sessions/${b.things.sessionId}/events/stream`,
      bearer(b.people.owner),
    );
    const set = (status: string) =>
      call(adminKey, { method: "PATCH", path: `/api/v1/orgs/${b.orgId}`, body: { status } });
    expect((await set("suspended")).status).toBe(200);
    await expect.poll(() => theirs.text(), soon).toContain("access_revoked");
    const link = { method: "GET", path: `/api/v1/sessions/${b.things.sessionId}` };
    for (const key of [b.people.owner.key, b.service.key, b.things.linkToken]) {
      expect((await call(key, link)).status).toBe(401);
    }
    expect((await set("active")).status).toBe(200);
    expect((await call(b.people.owner.key, link)).status).toBe(200);
  });
});
