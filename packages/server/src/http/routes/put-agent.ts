import { agent, agentDefinition } from "@berth/contract";
import { putAgent } from "../../operations/write-agent.ts";
import { agentHeaders } from "../agent-headers.ts";
import { endpoint } from "../endpoint.ts";
import { agentPath } from "../path-params.ts";
import { ifMatchOf } from "../request-headers.ts";
import { replayHeaders } from "../settled-answer.ts";

export const putAgentRoute = endpoint({
  id: "putAgent",
  method: "put",
  path: "/api/v1/agents/{agentId}",
  tag: "agents",
  summary: "Makes the next version of an agent",
  description:
    'With `If-Match: "<version>"` only if that is still the newest one. Runs keep the version that they began with.',
  params: agentPath,
  body: agentDefinition,
  replies: { 200: { description: "The agent in its new version.", schema: agent } },
  problems: ["agent_not_found", "agent_name_taken", "version_mismatch", "unknown_tool", "model_not_priced"],
  async handle({ operations, principal, params, body, origin, request }) {
    const written = await putAgent(operations, principal, {
      agentId: params.agentId,
      definition: body,
      ifVersion: ifMatchOf(request.headers),
      origin,
    });
    const headers = { ...agentHeaders(written.agent), ...replayHeaders(written) };
    return { status: 200, body: written.agent, headers };
  },
});
