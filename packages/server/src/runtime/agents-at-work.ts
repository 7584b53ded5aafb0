import type { AgentRef } from "@berth/contract";
import type { ModelClient } from "../models/model.ts";
import type { NamespaceState, SessionState } from "../session/state.ts";
import type { Definitions } from "./definitions.ts";
import type { ToolSets } from "./tool-sets.ts";
import type { ToolSet } from "./toolset.ts";

/** Tokens of a model that nothing is known about. */
const unknownWindow = 128_000;

/** What the agents of one session may call and how much their models take. */
export class AgentsAtWork {
  readonly #definitions: Definitions;
  readonly #models: Pick<ModelClient, "info">;
  readonly #orgId: string;
  readonly #toolSets: ToolSets;
  /** Contexts that could not be made smaller, by how many items they had. */
  readonly #incompressible = new Map<string, number>();

  constructor(options: {
    definitions: Definitions;
    toolSets: ToolSets;
    models: Pick<ModelClient, "info">;
    orgId: string;
  }) {
    this.#definitions = options.definitions;
    this.#toolSets = options.toolSets;
    this.#models = options.models;
    this.#orgId = options.orgId;
  }

  /** Notes that a namespace's context cannot be made smaller as it is, so that nobody tries it again at once. */
  noteIncompressible(at: NamespaceState): void {
    this.#incompressible.set(at.name, at.items.length);
  }

  /** Tokens that a namespace's model takes; without a bound when its context cannot be made smaller. */
  windowOf(at: NamespaceState): number {
    if (this.#incompressible.get(at.name) === at.items.length) return Number.POSITIVE_INFINITY;
    const own = this.#definitions.peek(this.#orgId, at.agent)?.contextWindow;
    return own ?? this.#models.info(at.model)?.contextWindow ?? unknownWindow;
  }

  /** What the agent of a namespace may call: its own tools, within what the agents above it may. */
  toolsOf(state: SessionState, at: NamespaceState): Promise<ToolSet> {
    return this.#toolSets.of(this.#orgId, chainOf(state, at));
  }
}

/** A namespace's agent and those above it. */
function chainOf(state: SessionState, at: NamespaceState): readonly AgentRef[] {
  const parent = at.parent === null ? undefined : state.namespaces[at.parent.namespace];
  return parent === undefined ? [at.agent] : [at.agent, ...chainOf(state, parent)];
}
