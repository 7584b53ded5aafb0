import type { Agent, AgentDefinitionInput, AgentVersion, Page } from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";

export interface AgentQuery extends PageQuery {
  /** True: the archived ones; default: the others. */
  readonly archived?: boolean;
}

export function createAgents(http: Http) {
  const path = (id: string) => `/agents/${encodeURIComponent(id)}`;

  function list({ signal, ...query }: AgentQuery = {}): Promise<Page<Agent>> {
    return http.json({
      method: "GET",
      path: "/agents",
      query: { ...query },
      ...callOf({ ...(signal && { signal }) }),
    });
  }

  return {
    /** Rejects with code `agent_name_taken` when another agent has the name. */
    create(definition: AgentDefinitionInput, options: ChangeOptions = {}): Promise<Agent> {
      return http.json({ method: "POST", path: "/agents", body: definition, ...callOf(options) });
    },
    list,
    all: (query: Omit<AgentQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    /** By id or name. */
    get(id: string, options: CallOptions = {}): Promise<Agent> {
      return http.json({ method: "GET", path: path(id), ...callOf(options) });
    },
    /** Makes the next version; with `ifVersion` only when that is still the newest. */
    update(
      id: string,
      definition: AgentDefinitionInput,
      options: ChangeOptions & { readonly ifVersion?: number } = {},
    ): Promise<Agent> {
      const { ifVersion } = options;
      const headers = ifVersion === undefined ? {} : { "if-match": `"${ifVersion}"` };
      return http.json({ method: "PUT", path: path(id), body: definition, headers, ...callOf(options) });
    },
    /** An archived agent starts no new sessions; those that exist go on. */
    archive(id: string, options: ChangeOptions & { readonly archived?: boolean } = {}): Promise<Agent> {
      const verb = options.archived === false ? "unarchive" : "archive";
      return http.json({ method: "POST", path: `${path(id)}/${verb}`, body: {}, ...callOf(options) });
    },
    versions(id: string, { signal, ...query }: PageQuery = {}): Promise<Page<AgentVersion>> {
      return http.json({
        method: "GET",
        path: `${path(id)}/versions`,
        query: { ...query },
        ...(signal && { signal }),
      });
    },
  };
}
