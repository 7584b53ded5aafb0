import type { AgentDefinition, AgentRef, RunLimits } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { RunPlan } from "../session/decide-run.ts";
import type { SessionState } from "../session/state.ts";
import type { Store } from "../store/store.ts";

const kept = 1_000;

/** Agent definitions by version. A version never changes, so what was read once stays true (I14). */
export class Definitions {
  readonly #store: Store;
  readonly #byVersion = new Map<string, AgentDefinition>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The definition that a run began with. Rejects with `agent_not_found`. */
  async get(orgId: string, ref: AgentRef): Promise<AgentDefinition> {
    const known = this.peek(orgId, ref);
    if (known !== null) return known;
    const record = await this.#store.org(orgId).findAgent(ref.id, ref.version);
    if (record === null) throw notFound(`${ref.name} (version ${ref.version})`);
    this.#keep(orgId, ref, record.definition);
    return record.definition;
  }

  /** The definition if it was read before. */
  peek(orgId: string, ref: AgentRef): AgentDefinition | null {
    return this.#byVersion.get(keyOf(orgId, ref)) ?? null;
  }

  /** The newest version of an agent by id or name, null when there is none. */
  async newest(
    orgId: string,
    idOrName: string,
  ): Promise<{ ref: AgentRef; definition: AgentDefinition } | null> {
    const record = await this.#store.org(orgId).findAgent(idOrName);
    if (record === null) return null;
    const ref = { id: record.id, version: record.version, name: record.definition.name };
    this.#keep(orgId, ref, record.definition);
    return { ref, definition: record.definition };
  }

  /** What a run that begins now keeps to its end. */
  async plan(orgId: string, state: SessionState, wish: RunWish = {}): Promise<RunPlan> {
    const newest = await this.newest(orgId, state.agent.id);
    if (newest === null) throw notFound(state.agent.name);
    const { ref, definition } = newest;
    return {
      agent: ref,
      model: wish.model ?? state.model ?? definition.model,
      limits: { ...definition.limits, ...wish.limits },
      ...(wish.traceparent !== undefined && { traceparent: wish.traceparent }),
    };
  }

  #keep(orgId: string, ref: AgentRef, definition: AgentDefinition): void {
    this.#byVersion.set(keyOf(orgId, ref), definition);
    if (this.#byVersion.size <= kept) return;
    const [oldest] = this.#byVersion.keys();
    if (oldest !== undefined) this.#byVersion.delete(oldest);
  }
}

export interface RunWish {
  readonly model?: string;
  readonly limits?: Partial<RunLimits>;
  readonly traceparent?: string;
}

function keyOf(orgId: string, ref: AgentRef): string {
  return `${orgId}/${ref.id}@${ref.version}`;
}

function notFound(name: string): BerthError {
  return new BerthError("agent_not_found", `The agent ${name} does not exist any more.`);
}
