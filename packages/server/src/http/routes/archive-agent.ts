import { agent } from "@berth/contract";
import { archiveAgent } from "../../operations/write-agent.ts";
import { agentHeaders } from "../agent-headers.ts";
import { endpoint } from "../endpoint.ts";
import { agentPath, emptyBody } from "../path-params.ts";

export const archiveAgentRoute = endpoint({
  id: "archiveAgent",
  method: "post",
  path: "/api/v1/agents/{agentId}/archive",
  tag: "agents",
  summary: "Takes an agent out of use: no new session starts with it",
  params: agentPath,
  body: emptyBody,
  bodyOptional: true,
  replies: { 200: { description: "The agent.", schema: agent } },
  problems: ["agent_not_found"],
  async handle({ operations, principal, params, origin }) {
    const changed = await archiveAgent(operations, principal, { ...params, archived: true, origin });
    return { status: 200, body: changed, headers: agentHeaders(changed) };
  },
});
