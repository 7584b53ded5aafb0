import { agent } from "@berth/contract";
import { z } from "zod";
import { getAgent } from "../../operations/list-agents.ts";
import { agentHeaders } from "../agent-headers.ts";
import { endpoint } from "../endpoint.ts";
import { agentPath } from "../path-params.ts";

export const getAgentRoute = endpoint({
  id: "getAgent",
  method: "get",
  path: "/api/v1/agents/{agentId}",
  tag: "agents",
  summary: "One agent, by id or by name",
  params: agentPath,
  query: z.strictObject({
    version: z.coerce.number().int().min(1).optional().describe("default: the newest"),
  }),
  replies: { 200: { description: "The agent; its ETag is its version.", schema: agent } },
  problems: ["agent_not_found"],
  async handle({ operations, principal, params, query }) {
    const found = await getAgent(operations, principal, { ...params, ...query });
    return { status: 200, body: found, headers: agentHeaders(found) };
  },
});
