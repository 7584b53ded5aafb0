import type { AgentDefinition, ClientTool } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import { createInputCheck } from "./input-check.ts";
import { matchesGlob } from "./glob-match.ts";
import type { Tool } from "./tool.ts";

/** What a model is told of a tool. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** The tools of this server. */
export interface Registry {
  list(): readonly Tool[];
  get(name: string): Tool | null;
  /** The server's tools that an agent may use, in the registry's order; `delegate` when it has sub-agents. */
  select(agent: Pick<AgentDefinition, "tools" | "subagents">): readonly Tool[];
  /** What the agent's model is told: the server's tools, then the caller's. */
  specs(agent: Pick<AgentDefinition, "tools" | "subagents" | "clientTools">): readonly ToolSpec[];
  /** What is wrong with an input, as sentences for the model; null when it is valid. */
  checkInput(tool: Pick<ToolSpec, "inputSchema">, input: unknown): string | null;
  /** Why an agent cannot have a client tool (its name is taken, its schema is unusable); null when it can. */
  clientToolError(tool: ClientTool): string | null;
}

const delegateName = "delegate";

/** Throws when two tools have one name. Schemas are compiled when they are used first. */
export function createRegistry(tools: readonly Tool[]): Registry {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  if (byName.size !== tools.length) throw new BerthError("internal", "two tools have the same name");
  const inputs = createInputCheck();

  function select({
    tools: patterns,
    subagents,
  }: Pick<AgentDefinition, "tools" | "subagents">): readonly Tool[] {
    return tools.filter(({ name }) => {
      if (name === delegateName) return subagents.length > 0;
      return patterns.some((pattern) => matchesGlob(pattern, name));
    });
  }

  return {
    list: () => tools,
    get: (name) => byName.get(name) ?? null,
    select,
    specs(agent) {
      const own = select(agent).map((tool) =>
        tool.name === delegateName ? delegateSpec(tool, agent.subagents) : specOf(tool),
      );
      return [...own, ...agent.clientTools.filter(({ name }) => !byName.has(name)).map(specOf)];
    },
    checkInput: ({ inputSchema }, input) => inputs.check(inputSchema, input),
    clientToolError({ name, inputSchema }) {
      if (byName.has(name)) return `${name} is the name of a tool of the server; choose another one.`;
      return inputs.schemaError(inputSchema);
    },
  };
}

function specOf({ name, description, inputSchema }: ToolSpec): ToolSpec {
  return { name, description, inputSchema };
}

/** The model is told which agents there are. */
function delegateSpec(tool: Tool, subagents: readonly string[]): ToolSpec {
  const properties = tool.inputSchema["properties"] as Readonly<Record<string, unknown>>;
  return {
    name: tool.name,
    description: `${tool.description}\n\nAgents that you can delegate to: ${subagents.join(", ")}.`,
    inputSchema: {
      ...tool.inputSchema,
      properties: { ...properties, agent: { type: "string", enum: subagents } },
    },
  };
}
