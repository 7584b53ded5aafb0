import type { Page, SandboxAllocation, SandboxInfo } from "@berth/contract";
import { sandbox, sandboxAllocation, sandboxMetrics, sandboxPortList } from "@berth/contract";
import { describe, expect, it, vi } from "vitest";
import type { Permission } from "../../../src/auth/permissions.ts";
import type { Principal } from "../../../src/auth/principal.ts";
import { newId } from "../../../src/lib/id.ts";
import { type Api, stranger, useApi } from "../../support/http/api.ts";

const open = useApi();

async function setUp(options: Parameters<typeof open>[0] = {}) {
  const api = await open({ plain: {}, ...options });
  await api.agent();
  const session = await api.session();
  const made = await api.post("/sandboxes", { sessionId: session.id });
  return { api, session, made, box: made.json<SandboxInfo>() };
}

/** Somebody else of the same organization. */
function colleague(api: Api, ...permissions: readonly Permission[]): Principal {
  const credential = { kind: "api_key", id: "key_c", expiresAt: null } as const;
  return { ...api.principal, id: "usr_colleague", permissions: new Set(permissions), credential };
}

const audited = async ({ operations, principal }: Api) =>
  (await operations.store.org(principal.orgId).audit.list({ limit: 50, action: "sandbox." })).items;

describe("sandboxes by API", () => {
  it("are given to a session once, shown, measured and taken back, which the audit log tells", async () => {
    const { api, session, made, box } = await setUp();
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe(`/api/v1/sandboxes/${box.id}`);
    expect(sandbox.parse(box)).toMatchObject({
      state: "active",
      userId: "usr_test",
      sessions: [{ sessionId: session.id, folder: null }],
      egress: ["api.example.com:443"],
    });
    const again = await api.post("/sandboxes", { sessionId: session.id });
    expect([again.status, again.json<SandboxInfo>().id]).toEqual([200, box.id]);
    expect((await api.get(`/sandboxes/${box.id}`)).json<SandboxInfo>().id).toBe(box.id);
    expect((await api.get(`/sandboxes/${box.id}/metrics`)).json(sandboxMetrics).memoryBytes).toBe(1_048_576);
    expect((await api.delete(`/sandboxes/${box.id}`)).status).toBe(204);
    expect((await api.get(`/sandboxes/${box.id}`)).problem().code).toBe("sandbox_not_found");
    expect((await api.delete(`/sandboxes/${box.id}`)).problem().code).toBe("sandbox_not_found");
    expect((await audited(api)).map(({ action, target }) => [action, target?.id])).toEqual([
      ["sandbox.destroyed", box.id],
      ["sandbox.created", box.id],
    ]);
  });

  it("are given anew when they are taken back the moment they are given, a few times", async () => {
    const api = await open({ plain: {} });
    await api.agent();
    const { id: sessionId } = await api.session();
    const { sandboxes, sandboxDirectory } = api.operations;
    const { orgId } = api.principal;
    const connect = sandboxes.connect.bind(sandboxes);
    let takenBack = 0;
    const given: string[] = [];
    const racing = vi.spyOn(sandboxes, "connect").mockImplementation(async (request) => {
      const one = await connect(request);
      given.push(one.id);
      if (takenBack-- > 0) await sandboxDirectory.destroy(orgId, { sandboxId: one.id, reason: "destroyed" });
      return one;
    });
    takenBack = 2;
    const made = await api.post("/sandboxes", { sessionId });
    expect(made.status).toBe(201);
    expect(made.json<SandboxInfo>()).toMatchObject({ id: given[2], state: "active" });
    await api.delete(`/sandboxes/${given[2]}`);
    takenBack = Infinity;
    const refused = await api.post("/sandboxes", { sessionId });
    expect(refused.problem()).toMatchObject({ status: 503, code: "sandbox_gone", retryable: true });
    expect(given).toHaveLength(6);
    racing.mockRestore();
  });

  it("leave a record of who had which, with exactly its fields, in pages", async () => {
    const { api, session, box } = await setUp();
    await api.delete(`/sandboxes/${box.id}`);
    await api.post("/sandboxes", { sessionId: session.id });
    const list = async (query: string) =>
      (await api.get(`/sandbox-allocations?${query}`)).json<Page<SandboxAllocation>>();
    const first = await list("limit=1");
    const [newest] = first.items;
    expect(newest).toMatchObject({ isActive: true, endedAt: null, endReason: null });
    const second = await list(`limit=1&after=${first.next}`);
    expect(second.next).toBeNull();
    const [oldest] = second.items;
    expect(oldest).toMatchObject({ sandboxId: box.id, isActive: false, endReason: "destroyed" });
    expect(Object.keys(sandboxAllocation.parse(oldest)).toSorted()).toEqual(
      [
        "allocationStrategy",
        "createdAt",
        "endReason",
        "endedAt",
        "id",
        "isActive",
        "lastUsedAt",
        "sandboxId",
        "sandboxUrl",
        "sessionId",
        "userId",
      ].toSorted(),
    );
    expect((await list("isActive=true")).items).toHaveLength(1);
    expect((await list(`sandboxId=${box.id}`)).items).toHaveLength(1);
    expect((await list(`sessionId=${newId("session")}`)).items).toHaveLength(0);
    const one = await api.get(`/sandbox-allocations/${oldest?.id}`);
    expect(one.json<SandboxAllocation>()).toEqual(oldest);
    expect((await api.get(`/sandbox-allocations/${newId("allocation")}`)).problem().code).toBe(
      "allocation_not_found",
    );
  });

  it("are listed by state, user and session", async () => {
    const { api, session, box } = await setUp();
    const ids = async (query: string) =>
      (await api.get(`/sandboxes?${query}`)).json<Page<SandboxInfo>>().items.map(({ id }) => id);
    expect(await ids("")).toEqual([box.id]);
    expect(await ids(`sessionId=${session.id}&state=active`)).toEqual([box.id]);
    expect(await ids("state=destroying")).toEqual([]);
    expect(await ids(`userId=${newId("user")}`)).toEqual([]);
    expect((await api.get("/sandboxes?state=warm")).status).toBe(422);
    expect((await api.get("/sandboxes?colour=blue")).status).toBe(422);
  });
});

describe("who may use a sandbox", () => {
  it("SBX-21: no id leads elsewhere: what is none is answered like one that is not there", async () => {
    const { api, box } = await setUp();
    const hostile = [
      "..",
      "%2e%2e",
      "%2e%2e%2f%2e%2e%2fsystem",
      "sbx_%0d%0aHost:evil",
      "sbx_x@evil",
      "sbx_evil.com%23",
      `${box.id}%00`,
      `${box.id}%2f..`,
      box.id.toUpperCase(),
      "s".repeat(300),
      "%ff",
    ];
    for (const id of hostile) {
      for (const path of [`/sandboxes/${id}`, `/sandboxes/${id}/metrics`, `/sandboxes/${id}/processes`]) {
        const reply = await api.get(path);
        expect([path, reply.status >= 400 && reply.status < 500]).toEqual([path, true]);
        expect(reply.text).not.toContain("usr_test");
      }
      expect((await api.post(`/sandboxes/${id}/exec`, { command: "true" })).status).toBeLessThan(500);
    }
    for (const pid of ["..", "a%2fb", "a".repeat(65), "p1%00"])
      expect((await api.get(`/sandboxes/${box.id}/processes/${pid}`)).status).toBe(404);
    for (const port of ["0", "65536", "-1", "1.5", "http", "%2e%2e"])
      expect((await api.delete(`/sandboxes/${box.id}/ports/${port}`)).status).toBe(404);
  });

  it("is nobody of another organization, whose answer is that of an unknown id", async () => {
    const { api, box } = await setUp();
    const fetch = api.appFor(stranger());
    const unknown = newId("sandbox");
    const paths = ["", "/metrics", "/processes", "/processes/p1", "/ports"];
    for (const path of paths) {
      const [theirs, nobodys] = [
        await api.get(`/sandboxes/${box.id}${path}`, { fetch }),
        await api.get(`/sandboxes/${unknown}${path}`, { fetch }),
      ];
      expect([theirs.status, theirs.problem().detail.replace(box.id, unknown)]).toEqual([
        404,
        nobodys.problem().detail,
      ]);
    }
    for (const [path, body] of [
      ["/exec", { command: "true" }],
      ["/processes", { command: "true" }],
      ["/ports", { port: 80 }],
    ] as const)
      expect((await api.post(`/sandboxes/${box.id}${path}`, body, { fetch })).status).toBe(404);
    expect((await api.delete(`/sandboxes/${box.id}`, { fetch })).status).toBe(404);
    expect((await api.get("/sandboxes", { fetch })).json<Page<SandboxInfo>>().items).toEqual([]);
    expect((await api.get("/sandbox-allocations", { fetch })).json<Page<unknown>>().items).toEqual([]);
  });

  it("is a colleague with whom the session is shared; but it is not theirs to take back", async () => {
    const { api, session, box } = await setUp();
    const fetch = api.appFor(colleague(api, "session:read", "session:write"));
    const reader = api.appFor(colleague(api, "session:read"));
    expect((await api.get(`/sandboxes/${box.id}`, { fetch })).status).toBe(404);
    await api.patch(`/sessions/${session.id}`, { visibility: "org" });
    expect((await api.get(`/sandboxes/${box.id}`, { fetch })).status).toBe(200);
    const exec = `/sandboxes/${box.id}/exec`;
    expect((await api.post(exec, { command: "true" }, { fetch })).status).toBe(200);
    expect((await api.post(exec, { command: "true" }, { fetch: reader })).problem().code).toBe("forbidden");
    expect((await api.get(`/sandboxes/${box.id}/processes`, { fetch: reader })).status).toBe(200);
    expect((await api.delete(`/sandboxes/${box.id}`, { fetch })).problem().code).toBe("forbidden");
    expect((await api.get("/sandboxes", { fetch })).json<Page<unknown>>().items).toEqual([]);
  });

  it("is the user alone when it holds all sessions of that user, whichever of them are shared", async () => {
    const { api, session, box } = await setUp({ plain: { strategy: "User-Exclusive" } });
    await api.patch(`/sessions/${session.id}`, { visibility: "org" });
    const fetch = api.appFor(colleague(api, "session:read", "session:write"));
    expect((await api.get(`/sandboxes/${box.id}`, { fetch })).status).toBe(404);
    expect((await api.post(`/sandboxes/${box.id}/exec`, { command: "ls" }, { fetch })).status).toBe(404);
    const { store } = api.operations;
    const workspace = { workspaceId: newId("workspace"), host: "plain", folder: session.id };
    const whose = { orgId: api.principal.orgId, sessionId: session.id, userId: api.principal.id };
    await store.system.sandboxes.ensureWorkspace({ ...whose, ...workspace, strategy: "User-Exclusive" });
    // Nor by the agent, whose commands reach the files of all.
    const events = [{ type: "user.message", content: "cat /workspace/*/secret" }];
    for (const [path, body] of [
      ["/sandboxes", { sessionId: session.id }],
      [`/sessions/${session.id}/events`, { events }],
    ] as const)
      expect((await api.post(path, body, { fetch })).problem().code).toBe("forbidden");
    expect((await api.post(`/sessions/${session.id}/events`, { events })).status).toBe(202);
    const second = await api.session();
    const shared = (await api.post("/sandboxes", { sessionId: second.id })).json<SandboxInfo>();
    expect(shared.id).toBe(box.id);
    expect(shared.sessions.map(({ folder }) => folder)).toEqual([second.id, session.id]);
  });
});

describe("ports by API", () => {
  it("are listed, opened and closed", async () => {
    const { api, box } = await setUp();
    const path = `/sandboxes/${box.id}/ports`;
    api.plain.plain(box.id).ownPorts.add(8080);
    const opened = await api.post(path, { port: 3000 });
    expect(opened.status).toBe(201);
    const { url } = opened.json<{ url: string }>();
    expect(new URL(url).hostname).toMatch(/^p[0-9a-z]{25}\.localhost$/);
    expect(url).not.toContain(box.id);
    expect((await api.get(path)).json(sandboxPortList).items).toMatchObject([
      { port: 3000, listening: false, open: { openedBy: "usr_test" } },
      { port: 8080, listening: true, open: null },
    ]);
    expect((await api.delete(`${path}/3000`)).status).toBe(204);
    expect((await api.delete(`${path}/3000`)).problem().code).toBe("preview_not_found");
    expect((await api.post(path, { port: 3000, ttlMs: 86_400_001 })).status).toBe(422);
    expect((await audited(api)).map(({ action }) => action).slice(0, 2)).toEqual([
      "sandbox.port_closed",
      "sandbox.port_opened",
    ]);
  });

  it("are refused where previews have no domain, and where sandboxes have no ports", async () => {
    const noDomain = await setUp({ operations: { previewDomain: null } });
    const refused = await noDomain.api.post(`/sandboxes/${noDomain.box.id}/ports`, { port: 3000 });
    expect([refused.status, refused.problem().code]).toEqual([409, "preview_not_configured"]);
    expect(refused.problem().detail).toContain("previewDomain");
    await noDomain.api.close();
    const noPorts = await setUp({ plain: { capabilities: { ports: false } } });
    const none = await noPorts.api.post(`/sandboxes/${noPorts.box.id}/ports`, { port: 3000 });
    expect(none.problem().code).toBe("sandbox_unsupported");
  });
});
