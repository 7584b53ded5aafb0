import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { openWs } from "../../support/follow/ws-client.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

interface Entry {
  readonly action: string;
  readonly actor: { readonly id: string };
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly credential: string | null;
  readonly requestId: string | null;
  readonly address: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

describe("AUD-03: refused accesses are in the log of whose credential it was", { timeout: 60_000 }, () => {
  const world = useTwoOrgs();

  async function refusedOf(orgId: string, requestId: string): Promise<readonly Entry[]> {
    const { items } = await world().store.org(orgId).audit.list({ limit: 200, outcome: "refused" });
    return items.filter((entry) => entry.requestId === requestId);
  }

  async function ask(key: string, path: string, headers: Record<string, string> = {}) {
    const requestId = newId("request");
    const seen = await world().call(key, {
      method: "GET",
      path: `/api/v1${path}`,
      headers: { "x-request-id": requestId, ...headers },
    });
    return { ...seen, requestId };
  }

  it("what another organization has, with who asked, for what, from where and by which request", async () => {
    const { a, b } = world();
    const { sessionId } = b.things;
    const { status, requestId } = await ask(a.people.member.key, `/sessions/${sessionId}`);
    expect(status).toBe(404);
    expect(await refusedOf(a.orgId, requestId)).toMatchObject([
      {
        action: "access.refused",
        actor: { id: a.people.member.id },
        target: { type: "session", id: sessionId },
        credential: `api_key:${a.people.member.keyId}`,
        address: "127.0.0.1",
        details: { route: "GET /api/v1/sessions/{sessionId}", code: "session_not_found", count: 1 },
      },
    ]);
    expect(await refusedOf(b.orgId, requestId)).toEqual([]);
  });

  it("what a role may not", async () => {
    const { a } = world();
    const { status, requestId } = await ask(a.people.viewer.key, "/audit-log");
    expect(status).toBe(403);
    expect(await refusedOf(a.orgId, requestId)).toMatchObject([{ details: { code: "forbidden" } }]);
  });

  it("keys that were once good, and a key in another organization", async () => {
    const { a, b } = world();
    for (const key of [a.expired, a.revoked]) {
      const { status, requestId } = await ask(key, "/me");
      expect(status).toBe(401);
      expect(await refusedOf(a.orgId, requestId)).toMatchObject([
        { actor: { id: a.people.member.id }, details: { code: "unauthenticated", route: "GET /api/v1/me" } },
      ]);
    }
    const { status, requestId } = await ask(a.people.owner.key, "/me", { "x-berth-org": b.slug });
    expect(status).toBe(404);
    expect(await refusedOf(a.orgId, requestId)).toMatchObject([{ details: { code: "org_not_found" } }]);
  });

  it("what is asked for over a WebSocket, and decisions that come over one", async () => {
    const { a, b, port, store } = world();
    const headers = { authorization: `Bearer ${a.people.member.key}` };
    const socket = openWs(port, "/ws", headers);
    await socket.status;
    socket.send({ op: "subscribe", id: "theirs", sessionId: b.things.sessionId });
    await socket.until("error", ({ code }) => code === "session_not_found");
    const approvalId = a.things.privateApprovalId;
    const { sessionId } = (await store.org(a.orgId).findApproval(approvalId)) ?? { sessionId: "" };
    const events = [{ type: "user.approval" as const, approvalId, decision: "deny" as const }];
    socket.send({ op: "send", id: "decision", sessionId, events });
    await socket.until("accepted");
    socket.socket.close();
    const alone = openWs(port, `/sessions/${b.things.sessionId}/ws`, headers);
    await alone.until("error");
    await alone.closed;
    const { items } = await store.org(a.orgId).audit.list({ limit: 3, actor: a.people.member.id });
    expect(items).toMatchObject([
      { action: "access.refused", details: { route: "WS open", code: "session_not_found" } },
      { action: "approval.decided", target: { id: approvalId }, address: "127.0.0.1" },
      { action: "access.refused", details: { route: "WS subscribe" }, target: { id: b.things.sessionId } },
    ]);
  });

  it("not what nobody can be told of: no key, a wrong key, a wrong path, a missing file", async () => {
    const { a } = world();
    const owner = a.people.owner.key;
    const count = async () =>
      (await world().store.org(a.orgId).audit.list({ limit: 200, outcome: "refused" })).items.length;
    const before = await count();
    await ask("brt_nobodys-key", "/me");
    await ask(owner, "/nothing-here");
    await ask(owner, `/sessions/${a.things.sessionId}/files/missing.txt`);
    expect(await count()).toBe(before);
  });
});
