import { agent, agentDefinition } from "@berth/contract";
import { createAgent } from "../../operations/write-agent.ts";
import { agentHeaders } from "../agent-headers.ts";
import { endpoint } from "../endpoint.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createAgentRoute = endpoint({
  id: "createAgent",
  method: "post",
  path: "/api/v1/agents",
  tag: "agents",
  summary: "Makes an agent",
  body: agentDefinition,
  replies: { 201: { description: "The agent, at version 1.", schema: agent } },
  problems: ["agent_name_taken", "unknown_tool", "model_not_priced"],
  async handle({ operations, principal, body, origin }) {
    const written = await createAgent(operations, principal, { definition: body, origin });
    const headers = { ...agentHeaders(written.agent), ...replayHeaders(written) };
    return { status: 201, body: written.agent, headers };
  },
});
