import type { Agent, AgentVersion, Page } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { useApi } from "../../support/http/api.ts";
import { echo } from "../../support/runtime/test-tools.ts";

const start = useApi();

const definition = { name: "helper", model: "test/model" };

describe("agents", () => {
  it("are made with their defaults, at version 1, and found by id and by name", async () => {
    const api = await start();
    const reply = await api.post("/agents", definition);
    expect(reply.status).toBe(201);
    expect(reply.headers.get("etag")).toBe('"1"');
    const agent = reply.json<Agent>();
    expect(agent).toMatchObject({
      ...definition,
      version: 1,
      archived: false,
      permissions: { mode: "approval" },
    });
    expect((await api.get(`/agents/${agent.id}`)).json()).toEqual(agent);
    expect((await api.get("/agents/helper")).json()).toEqual(agent);
    expect((await api.get("/agents")).json()).toEqual({ items: [agent], next: null });
    const again = await api.post("/agents", definition);
    expect(again.problem()).toMatchObject({
      status: 409,
      code: "agent_name_taken",
      details: { agentId: agent.id },
    });
  });

  it("get a new version, while the old ones stay as they were", async () => {
    const api = await start();
    const { id } = (await api.post("/agents", definition)).json<Agent>();
    const put = (instructions: string, ifMatch?: string) =>
      api.put(
        `/agents/${id}`,
        { ...definition, instructions },
        { headers: ifMatch ? { "if-match": ifMatch } : {} },
      );
    const second = await put("two", '"1"');
    expect([second.status, second.headers.get("etag")]).toEqual([200, '"2"']);
    expect((await put("lost", '"1"')).problem()).toMatchObject({ status: 412, code: "version_mismatch" });
    expect((await put("three", "*")).json()).toMatchObject({ version: 3 });
    expect((await put("x", "three")).problem()).toMatchObject({ status: 400, code: "malformed_header" });
    expect((await api.get(`/agents/${id}?version=2`)).json()).toMatchObject({
      version: 2,
      instructions: "two",
    });
    expect((await api.get(`/agents/${id}?version=9`)).problem().code).toBe("agent_not_found");
    const versions = (await api.get(`/agents/${id}/versions`)).json<Page<AgentVersion>>().items;
    expect(versions.map(({ version }) => version)).toEqual([3, 2, 1]);
    expect(versions.map((one) => one.definition.instructions)).toEqual(["three", "two", ""]);
  });

  it("go to the archive and come back", async () => {
    const api = await start();
    const { id } = (await api.post("/agents", definition)).json<Agent>();
    expect((await api.post(`/agents/${id}/archive`)).json()).toMatchObject({ archived: true });
    expect((await api.get("/agents")).json()).toEqual({ items: [], next: null });
    expect((await api.get("/agents?archived=true")).json<Page<Agent>>().items).toHaveLength(1);
    expect((await api.post("/agents/helper/unarchive", {})).json()).toMatchObject({ archived: false });
    expect((await api.get("/agents")).json<Page<Agent>>().items).toHaveLength(1);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ["a tool that there is not", { tools: ["echo", "fly_*"] }, { code: "unknown_tool" }],
    [
      "a client tool with the name of a server's tool",
      { clientTools: [{ name: "echo", description: "x", inputSchema: { type: "object" } }] },
      { code: "validation_failed", errors: [{ pointer: "/clientTools/0" }] },
    ],
    [
      "two client tools of one name",
      {
        clientTools: ["a", "a"].map((name) => ({ name, description: "x", inputSchema: { type: "object" } })),
      },
      { code: "validation_failed", errors: [{ pointer: "/clientTools/1" }] },
    ],
    [
      "a client tool whose schema is none",
      { clientTools: [{ name: "ask", description: "x", inputSchema: { type: "object", properties: 7 } }] },
      { code: "validation_failed", errors: [{ pointer: "/clientTools/0" }] },
    ],
    [
      "a model without its provider",
      { model: "gpt" },
      { code: "validation_failed", errors: [{ pointer: "/model" }] },
    ],
    [
      "a field that there is not",
      { orgId: "org_x" },
      { code: "validation_failed", errors: [{ pointer: "/orgId" }] },
    ],
  ])("are refused with %s", async (_, fields, problem) => {
    const api = await start({ tools: [echo] });
    const reply = await api.post("/agents", { ...definition, ...fields });
    expect(reply.problem()).toMatchObject({ status: 422, ...problem });
    expect((await api.get("/agents")).json()).toEqual({ items: [], next: null });
  });

  it("can be given what the catalog lists", async () => {
    const api = await start({ tools: [echo] });
    expect((await api.get("/tools")).json()).toEqual({
      items: [
        { name: "echo", description: "The tool echo.", effect: "pure", inputSchema: { type: "object" } },
      ],
      next: null,
    });
    expect((await api.get("/models")).json()).toMatchObject({ items: [{ name: "test/model" }], next: null });
  });
});

describe("an agent's wish for its sandbox", () => {
  const body = { name: "wisher", model: "test/model" };

  it("is refused above what the server gives, and names the most", async () => {
    const api = await start();
    const refused = await api.post("/agents", { ...body, sandbox: { memory: 8_192 } });
    expect(refused.problem()).toMatchObject({ status: 422, code: "validation_failed" });
    expect(refused.text).toContain("/sandbox/memory");
    expect(refused.text).toContain("4096");
    expect((await api.post("/agents", { ...body, sandbox: { memory: 4_096 } })).status).toBe(201);
  });

  it("warns of secrets that are not there, and takes it all the same", async () => {
    const api = await start();
    const sandbox = {
      egress: [{ host: "api.example.com" }],
      secrets: [{ env: "TOKEN", secret: "later", hosts: ["api.example.com"] }],
    };
    const made = await api.post("/agents", { ...body, sandbox });
    expect([made.status, made.json()["warnings"]]).toEqual([201, [expect.stringContaining("secret later")]]);
    await api.put("/sandbox-secrets/later", { value: "a-value-of-it", hosts: ["api.example.com"] });
    const { id } = made.json<{ id: string }>();
    const again = await api.put(`/agents/${id}`, { ...body, sandbox });
    expect([again.status, again.json()["warnings"]]).toEqual([200, undefined]);
  });
});
