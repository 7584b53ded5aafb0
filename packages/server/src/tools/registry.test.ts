import { agentDefinition, type AgentDefinitionInput, tool as toolInfo } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { builtinTools } from "./builtin/builtin-tools.ts";
import { createRegistry } from "./registry.ts";

const registry = createRegistry(builtinTools);
const agent = (more: Partial<AgentDefinitionInput>) =>
  agentDefinition.parse({ name: "a", model: "p/m", ...more });
const names = (tools: readonly { name: string }[]) => tools.map(({ name }) => name);
const clientTool = {
  name: "ask",
  description: "Asks.",
  inputSchema: { type: "object", properties: { q: { type: "string" } } },
};

describe("createRegistry", () => {
  it("has every built-in tool, each with a prompt, a strict schema and the shape of the API", () => {
    expect(registry.list()).toHaveLength(14);
    for (const tool of registry.list()) {
      const { name, description, effect, inputSchema } = tool;
      expect(toolInfo.safeParse({ name, description, effect, inputSchema }).success).toBe(true);
      expect(description.length).toBeGreaterThan(80);
      expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
      expect(registry.checkInput(tool, { unknown: 1 })).toContain("unknown: is not known");
      expect(registry.get(name)).toBe(tool);
    }
    expect(registry.get("none")).toBeNull();
  });

  it("marks effects: what is pure, what may be repeated and what may not", () => {
    const byEffect = Object.groupBy(registry.list(), ({ effect }) => effect);
    expect(names(byEffect.once ?? [])).toEqual(["fs_edit", "bash_run", "code_execute"]);
    expect(names(byEffect.idempotent ?? [])).toEqual(["fs_write", "bash_kill", "port_open", "todo_write"]);
    expect(names(registry.list().filter((tool) => tool.touchesWorkspace))).toEqual([
      "fs_write",
      "fs_edit",
      "bash_run",
      "code_execute",
    ]);
    expect(names(registry.list().filter((tool) => tool.reachesOutside))).toEqual([
      "bash_run",
      "code_execute",
      "port_open",
    ]);
  });

  it("selects by patterns; delegate comes with sub-agents only", () => {
    expect(names(registry.select(agent({ tools: ["fs_*", "bash_run", "none"] })))).toEqual([
      "fs_read",
      "fs_write",
      "fs_edit",
      "fs_glob",
      "fs_grep",
      "bash_run",
    ]);
    expect(registry.select(agent({ tools: [] }))).toEqual([]);
    expect(names(registry.select(agent({ tools: ["*"] })))).not.toContain("delegate");
    expect(names(registry.select(agent({ tools: [], subagents: ["helper"] })))).toEqual(["delegate"]);
  });

  it("tells the model its tools, the agents to delegate to, and the caller's tools that take no other's name", () => {
    const shadow = { ...clientTool, name: "fs_read" };
    const specs = registry.specs(
      agent({ tools: ["todo_read"], subagents: ["writer", "tester"], clientTools: [clientTool, shadow] }),
    );
    expect(names(specs)).toEqual(["todo_read", "delegate", "ask"]);
    expect(specs[1]?.description).toContain("writer, tester");
    expect(specs[1]?.inputSchema).toMatchObject({ properties: { agent: { enum: ["writer", "tester"] } } });
    expect(Object.keys(specs[0] ?? {})).toEqual(["name", "description", "inputSchema"]);
  });

  it("checks inputs of its own tools and of the caller's", () => {
    const read = registry.get("fs_read");
    if (read === null) throw new Error("fs_read is missing");
    expect(registry.checkInput(read, { path: "a", offset: 2 })).toBeNull();
    expect(registry.checkInput(read, { path: "a", offset: 0, x: 1 })).toBe(
      "x: is not known; offset: must be >= 1",
    );
    expect(registry.checkInput(clientTool, { q: 1 })).toBe("q: must be string");
  });

  it("refuses a client tool with a taken name or a schema that cannot be used", () => {
    expect(registry.clientToolError(clientTool)).toBeNull();
    expect(registry.clientToolError({ ...clientTool, name: "bash_run" })).toContain("choose another");
    expect(registry.clientToolError({ ...clientTool, inputSchema: { type: "array" } })).toContain("object");
  });

  it("does not start with two tools of one name", () => {
    expect(() => createRegistry([...builtinTools, ...builtinTools])).toThrow("same name");
  });
});
