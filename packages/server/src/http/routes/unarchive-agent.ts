import { agent } from "@berth/contract";
import { archiveAgent } from "../../operations/write-agent.ts";
import { agentHeaders } from "../agent-headers.ts";
import { endpoint } from "../endpoint.ts";
import { agentPath, emptyBody } from "../path-params.ts";

export const unarchiveAgentRoute = endpoint({
  id: "unarchiveAgent",
  method: "post",
  path: "/api/v1/agents/{agentId}/unarchive",
  tag: "agents",
  summary: "Takes an agent into use again",
  params: agentPath,
  body: emptyBody,
  bodyOptional: true,
  replies: { 200: { description: "The agent.", schema: agent } },
  problems: ["agent_not_found"],
  async handle({ operations, principal, params, origin }) {
    const changed = await archiveAgent(operations, principal, { ...params, archived: false, origin });
    return { status: 200, body: changed, headers: agentHeaders(changed) };
  },
});
