import type { AgentDefinition, ClientTool, Effect, EventData, Permissions } from "@berth/contract";
import { hashJson } from "../lib/canonical-json.ts";
import type { ToolSpec } from "../models/model.ts";
import { textTokens } from "../session/size.ts";
import { decidePermission, type PermissionTool } from "../tools/permission.ts";
import type { Registry } from "../tools/registry.ts";
import type { Tool } from "../tools/tool.ts";

const delegateName = "delegate";

type ToolUse = Omit<EventData<"agent.tool_use">, "messageId" | "blockId">;

interface Known {
  readonly kind: "server" | "client" | "delegate";
  readonly effect: Effect;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly permissionTool: PermissionTool;
  readonly timeoutMs?: number;
  readonly needsSandbox?: true;
}

/** What one agent may call, in one run: its built-in tools, the caller's own, and `delegate` when it has sub-agents. */
export class ToolSet {
  readonly specs: readonly ToolSpec[];
  readonly #registry: Registry;
  readonly #known = new Map<string, Known>();
  #tokens: number | null = null;
  readonly #permissions: Permissions;
  readonly #parents: readonly Permissions[];
  /** Why there is no sandbox; null when there is one. */
  readonly #noSandbox: string | null;

  constructor(options: {
    readonly registry: Registry;
    readonly definition: AgentDefinition;
    readonly parents: readonly AgentDefinition[];
    readonly noSandbox: string | null;
  }) {
    const { registry, definition, parents, noSandbox } = options;
    this.#registry = registry;
    this.#noSandbox = noSandbox;
    this.#permissions = definition.permissions;
    this.#parents = parents.map((parent) => parent.permissions);
    for (const tool of registry.select(definition)) this.#known.set(tool.name, serverTool(tool));
    for (const tool of definition.clientTools) {
      if (!this.#known.has(tool.name)) this.#known.set(tool.name, clientTool(tool));
    }
    this.specs = registry.specs(definition);
  }

  /** Estimated tokens of what a model is told of its tools. */
  get tokens(): number {
    this.#tokens ??= textTokens(JSON.stringify(this.specs));
    return this.#tokens;
  }

  /** Decides everything about a call that a model wrote: whether there is such a tool, whether the input is valid, whether it may run. */
  judge(call: { toolUseId: string; name: string; rawInput: string; signature?: string }): ToolUse {
    const { toolUseId, name, rawInput, signature } = call;
    const known = this.#known.get(name);
    const parsed = parseInput(rawInput);
    const base = {
      toolUseId,
      name,
      input: parsed.input,
      inputHash: hashJson(parsed.input),
      kind: known?.kind ?? ("unknown" as const),
      effect: known?.effect ?? ("pure" as const),
      ...(known?.timeoutMs !== undefined && { timeoutMs: known.timeoutMs }),
      ...(signature !== undefined && { signature }),
    };
    const invalid =
      known === undefined ? this.#noSuchTool(name) : (parsed.invalid ?? this.#invalid(known, parsed.input));
    if (known === undefined || invalid !== null) {
      const raw = parsed.invalid === null ? {} : { rawInput: rawInput.slice(0, 10_000) };
      return { ...base, permission: "deny", invalid: invalid ?? "", ...raw };
    }
    return { ...base, ...this.#permit(known, parsed.input) };
  }

  #permit(known: Known, input: unknown): { permission: "allow" | "ask" | "deny"; rule: string } {
    if (known.needsSandbox === true && this.#noSandbox !== null)
      return { permission: "deny", rule: `sandbox_unavailable: ${this.#noSandbox}` };
    // The caller runs its own tools and delegates act through their own calls: only a rule that names one stops it.
    const permissions =
      known.kind === "server" ? this.#permissions : { ...this.#permissions, mode: "auto" as const };
    const intersect =
      known.kind === "server"
        ? this.#parents
        : this.#parents.map((one) => ({ ...one, mode: "auto" as const }));
    return decidePermission({ permissions, tool: known.permissionTool, input, intersect });
  }

  #invalid(known: Known, input: unknown): string | null {
    const problems = this.#registry.checkInput(known, input);
    return problems === null ? null : `The input is not valid: ${problems}`;
  }

  #noSuchTool(name: string): string {
    const names = this.specs.map((spec) => spec.name);
    return `There is no tool ${JSON.stringify(name.slice(0, 100))}. The tools are: ${names.join(", ") || "none"}.`;
  }
}

function serverTool(tool: Tool): Known {
  const { name, effect, inputSchema, mainArgument, touchesWorkspace, reachesOutside } = tool;
  const about = { name, effect, touchesWorkspace, reachesOutside };
  const permissionTool = { ...about, ...(mainArgument !== undefined && { mainArgument }) };
  const kind = name === delegateName ? "delegate" : "server";
  return { kind, effect, inputSchema, permissionTool, ...(tool.needsSandbox && { needsSandbox: true }) };
}

function clientTool(tool: ClientTool): Known {
  const { name, inputSchema, timeoutMs } = tool;
  const permissionTool = { name, effect: "once" as const };
  return {
    kind: "client",
    effect: "once",
    inputSchema,
    permissionTool,
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** Nested arrays and objects that a call's arguments may have, as in bodies from outside: what walks them may recurse. */
const deepest = 64;

function isDeeperThan(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== "object") return false;
  if (depth === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, depth - 1));
}

function parseInput(raw: string): { input: unknown; invalid: string | null } {
  if (raw.trim() === "") return { input: {}, invalid: null };
  try {
    const input = JSON.parse(raw) as unknown;
    if (isDeeperThan(input, deepest)) {
      return {
        input: {},
        invalid: `The arguments are nested more than ${deepest} deep. Write the call again, flatter.`,
      };
    }
    return { input, invalid: null };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { input: {}, invalid: `The arguments are no valid JSON (${why}). Write the call again.` };
  }
}
