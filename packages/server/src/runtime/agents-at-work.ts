import type { AgentRef } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { ModelClient } from "../models/model.ts";
import type { NamespaceState, SessionState } from "../session/state.ts";
import type { RuntimeContext } from "./context.ts";
import type { Definitions } from "./definitions.ts";
import { ToolSet } from "./toolset.ts";

/** Tokens of a model that nothing is known about. */
const unknownWindow = 128_000;
const keptSets = 20;

/** What the agents of one session may call and how much their models take. */
export class AgentsAtWork {
  readonly #context: RuntimeContext;
  readonly #definitions: Definitions;
  readonly #models: Pick<ModelClient, "info">;
  readonly #orgId: string;
  readonly #tools = new Map<string, ToolSet>();
  /** Contexts that could not be made smaller, by how many items they had. */
  readonly #incompressible = new Map<string, number>();

  constructor(
    context: RuntimeContext,
    {
      definitions,
      models,
      orgId,
    }: { definitions: Definitions; models: Pick<ModelClient, "info">; orgId: string },
  ) {
    this.#context = context;
    this.#definitions = definitions;
    this.#models = models;
    this.#orgId = orgId;
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
  async toolsOf(state: SessionState, at: NamespaceState): Promise<ToolSet> {
    const chain = chainOf(state, at);
    const key = chain.map((ref) => `${ref.id}@${ref.version}`).join("/");
    const known = this.#tools.get(key);
    if (known !== undefined) return known;
    const [own, ...parents] = await Promise.all(chain.map((ref) => this.#definitions.get(this.#orgId, ref)));
    if (own === undefined) throw new BerthError("internal", "a namespace has no agent");
    const { unavailable = null } = await this.#context.sandboxes.probe();
    const made = new ToolSet({
      registry: this.#context.tools,
      definition: own,
      parents,
      noSandbox: unavailable,
    });
    if (this.#tools.size >= keptSets) this.#tools.clear();
    this.#tools.set(key, made);
    return made;
  }
}

/** A namespace's agent and those above it. */
function chainOf(state: SessionState, at: NamespaceState): readonly AgentRef[] {
  const parent = at.parent === null ? undefined : state.namespaces[at.parent.namespace];
  return parent === undefined ? [at.agent] : [at.agent, ...chainOf(state, parent)];
}
