import type { AgentDefinition, SessionEvent } from "@berth/contract";
import type { SessionState } from "../../../src/session/state.ts";
import type { Connection } from "../../../src/store/sqlite/connection.ts";
import { must } from "./violation.ts";

interface AgentRef {
  readonly id: string;
  readonly version: number;
}

const keyOf = ({ id, version }: AgentRef) => `${id}@${version}`;

/** I14: what versions of agents say, as they were when they were written, and whether runs keep to theirs. */
export class DefinitionBook {
  readonly #texts = new Map<string, string>();
  readonly #sql: Connection["sql"];

  constructor(sql: Connection["sql"]) {
    this.#sql = sql;
    this.readAll();
  }

  /** Called after each commit that writes agents: what was there is what it was. */
  readAll(): void {
    const rows = this.#sql<AgentRef & { definition: string }>(
      "SELECT agent_id AS id, version, definition FROM agent_versions",
    ).all();
    for (const row of rows) {
      const known = this.#texts.get(keyOf(row));
      must(
        known === undefined || known === row.definition,
        "I14",
        () => `the definition ${keyOf(row)} was changed`,
      );
      this.#texts.set(keyOf(row), row.definition);
    }
    must(
      rows.length === this.#texts.size,
      "I14",
      () => `${this.#texts.size - rows.length} definitions that were read are gone`,
    );
  }

  /** A namespace calls its model: with the instructions of a version that an agent of this session works by now. */
  called(sessionId: string, state: SessionState, system: string): void {
    const [, edition, name] = /^(edition (\S+) \S+)/.exec(system) ?? [];
    if (edition === undefined || state.run === null) return;
    const agents = Object.values(state.namespaces).map(({ agent }) => agent);
    const expected = [state.run.agent, ...agents]
      .filter((agent) => agent.name === name)
      .map((agent) => this.#of(agent).instructions);
    must(
      expected.includes(edition),
      "I14",
      () => `${sessionId}: a run of ${expected.join(" and ")} calls its model with ${edition}`,
    );
  }

  /** A call was judged by the permissions of the versions that its agent and those above it work by. */
  judged(sessionId: string, state: SessionState, event: SessionEvent<"agent.tool_use">): void {
    const { name: tool, permission } = event.data;
    if (permission === "deny") return;
    const chain = this.#chain(state, event.namespace);
    const asks = chain.some(({ permissions }) => permissions.requireApproval.includes(tool));
    must(
      asks === (permission === "ask"),
      "I14",
      () =>
        `${sessionId}: ${tool} was judged "${permission}" at ${event.seq}, not as ${chain.map(({ instructions }) => instructions).join(" under ")} says`,
    );
  }

  #chain(state: SessionState, namespace: string): readonly AgentDefinition[] {
    const at = state.namespaces[namespace];
    must(at !== undefined, "I14", () => `nobody works in the namespace ${namespace}`);
    const { agent, parent } = at;
    return [this.#of(agent), ...(parent === null ? [] : this.#chain(state, parent.namespace))];
  }

  #of(agent: AgentRef): AgentDefinition {
    const text = this.#texts.get(keyOf(agent));
    must(text !== undefined, "I14", () => `there is no definition ${keyOf(agent)}`);
    return JSON.parse(text) as AgentDefinition;
  }
}
