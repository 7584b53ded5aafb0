import type { AgentRef } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { RuntimeContext } from "./context.ts";
import type { Definitions } from "./definitions.ts";
import { ToolSet } from "./toolset.ts";

const kept = 1_000;

/** What agents may call, made once for all sessions: a version of an agent never changes (I14). A set of its own cost each of them 540 bytes. */
export class ToolSets {
  readonly #context: Pick<RuntimeContext, "sandboxes" | "tools">;
  readonly #definitions: Definitions;
  readonly #made = new Map<string, ToolSet>();

  constructor(context: Pick<RuntimeContext, "sandboxes" | "tools">, definitions: Definitions) {
    this.#context = context;
    this.#definitions = definitions;
  }

  /** Of an agent, followed by those above it. Rejects with `agent_not_found`. */
  async of(orgId: string, chain: readonly AgentRef[]): Promise<ToolSet> {
    const { sandboxes, tools: registry } = this.#context;
    const { unavailable: noSandbox = null } = await sandboxes.probe();
    const key = [orgId, ...chain.map(({ id, version }) => `${id}@${version}`), noSandbox].join("/");
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const [definition, ...parents] = await Promise.all(chain.map((ref) => this.#definitions.get(orgId, ref)));
    if (definition === undefined) throw new BerthError("internal", "a namespace has no agent");
    const made = new ToolSet({ registry, definition, parents, noSandbox });
    if (this.#made.size >= kept) this.#made.clear();
    this.#made.set(key, made);
    return made;
  }
}
