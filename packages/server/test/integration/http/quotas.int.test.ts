import { describe, expect, it } from "vitest";
import { useApi } from "../../support/http/api.ts";

const open = useApi();

describe("quotas", () => {
  it("refuse what is one too many, say what and how many, and are shown with their use", async () => {
    const api = await open();
    await api.agent();
    const org = api.harness.orgId;
    const set = await api.put(`/orgs/${org}/quotas`, { quotas: { sessions: 1, agents: null } });
    expect(set.status).toBe(200);
    await api.session();
    const refused = await api.post("/sessions", { agent: "tester" });
    expect([refused.status, refused.problem()]).toMatchObject([
      409,
      { code: "quota_exceeded", details: { quota: "sessions", limit: 1, wanted: 2 } },
    ]);
    const shown = (await api.get("/quotas")).json<{ items: readonly { name: string }[] }>().items;
    expect(shown.find(({ name }) => name === "sessions")).toEqual({
      name: "sessions",
      limit: 1,
      used: 1,
      source: "org",
    });
    await api.put(`/orgs/${org}/quotas`, { quotas: {} });
    expect((await api.post("/sessions", { agent: "tester" })).status).toBe(201);
  });

  it("refuse an upload, and a message with a file, over the bytes that may be stored", async () => {
    const api = await open();
    await api.agent();
    const session = await api.session();
    await api.put(`/orgs/${api.harness.orgId}/quotas`, { quotas: { storedBytes: 100 } });
    const upload = (bytes: number) =>
      api.send("PUT", `/api/v1/sessions/${session.id}/files/a-${bytes}.txt`, { body: "x".repeat(bytes) });
    expect((await upload(101)).problem()).toMatchObject({ status: 409, code: "quota_exceeded" });
    expect((await upload(100)).status).toBeLessThan(300);
    const data = Buffer.alloc(100_000, 1).toString("base64");
    const content = [{ type: "file", mediaType: "application/octet-stream", name: "big", data }];
    const sent = await api.post(`/sessions/${session.id}/events`, {
      events: [{ type: "user.message", content }],
    });
    expect(sent.problem()).toMatchObject({ code: "quota_exceeded" });
  });

  it("are set for organizations that there are, by who runs the server", async () => {
    const api = await open();
    expect((await api.put("/orgs/org_none/quotas", { quotas: {} })).problem().code).toBe("org_not_found");
    expect((await api.put("/orgs/nobody/quotas", { quotas: {} })).problem().code).toBe("org_not_found");
    const unknown = await api.put(`/orgs/${api.harness.orgId}/quotas`, { quotas: { cakes: 1 } });
    expect(unknown.status).toBe(422);
    const permissions = new Set([...api.principal.permissions].filter((one) => one !== "server:manage"));
    const fetch = api.appFor({ ...api.principal, permissions });
    const refused = await api.put(`/orgs/${api.harness.orgId}/quotas`, { quotas: {} }, { fetch });
    expect(refused.problem().code).toBe("forbidden");
  });
});
