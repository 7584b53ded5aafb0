import { agentVersion, pageOf } from "@berth/contract";
import { z } from "zod";
import { listAgentVersions } from "../../operations/list-agents.ts";
import { endpoint } from "../endpoint.ts";
import { versionPageQuery } from "../page-query.ts";
import { agentPath } from "../path-params.ts";
import { defined } from "../query.ts";

export const listAgentVersionsRoute = endpoint({
  id: "listAgentVersions",
  method: "get",
  path: "/api/v1/agents/{agentId}/versions",
  tag: "agents",
  summary: "Every version that an agent has had",
  params: agentPath,
  query: z.strictObject(versionPageQuery),
  replies: { 200: { description: "A page of them, newest first.", schema: pageOf(agentVersion) } },
  problems: ["agent_not_found"],
  async handle({ operations, principal, params, query }) {
    const page = await listAgentVersions(operations, principal, { ...params, ...defined(query) });
    return { status: 200, body: page };
  },
});
