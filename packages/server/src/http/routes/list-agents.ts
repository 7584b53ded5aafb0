import { agent, pageOf } from "@berth/contract";
import { z } from "zod";
import { listAgents } from "../../operations/list-agents.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined, flag } from "../query.ts";

export const listAgentsRoute = endpoint({
  id: "listAgents",
  method: "get",
  path: "/api/v1/agents",
  tag: "agents",
  summary: "Agents, each in its newest version",
  query: z.strictObject({ ...pageQueryOf("agent"), archived: flag.optional() }),
  replies: { 200: { description: "A page of them.", schema: pageOf(agent) } },
  async handle({ operations, principal, query }) {
    return { status: 200, body: await listAgents(operations, principal, defined(query)) };
  },
});
