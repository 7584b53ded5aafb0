import {
  agentName,
  idSchema,
  modelName,
  pageOf,
  pageQuery,
  toolName,
  usageGroup,
  usageSum,
} from "@berth/contract";
import { z } from "zod";
import { sumUsage } from "../../operations/sum-usage.ts";
import { endpoint } from "../endpoint.ts";
import { defined } from "../query.ts";

const day = z
  .union([z.iso.date(), z.iso.datetime()])
  .transform((text) => Date.parse(text))
  .optional();

const query = z
  .strictObject({
    ...pageQuery,
    groupBy: usageGroup.default("day"),
    from: day.describe("first day (UTC), or first instant of a session; default: 30 days ago"),
    until: day.describe("the end, itself not included; default: now"),
    user: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("id of the user or service account that owns the sessions"),
    agent: z
      .union([idSchema("agent"), agentName])
      .optional()
      .describe("id or name of the agent that called"),
    model: modelName.optional(),
    tool: toolName.optional(),
    sessionId: idSchema("session").optional(),
    runId: idSchema("run").optional(),
  })
  .refine(
    ({ groupBy, sessionId }) => sessionId !== undefined || (groupBy !== "run" && groupBy !== "session"),
    {
      message: "run and session need a sessionId",
      path: ["groupBy"],
    },
  )
  .refine(({ runId, sessionId }) => runId === undefined || sessionId !== undefined, {
    message: "needs a sessionId",
    path: ["runId"],
  })
  .refine(({ model, tool }) => model === undefined || tool === undefined, {
    message: "cannot be asked for together with a model",
    path: ["tool"],
  });

export const getUsageRoute = endpoint({
  id: "getUsage",
  method: "get",
  path: "/api/v1/usage",
  tag: "limits",
  rate: "heavy",
  summary: "Sums of the usage ledger, which has one row for each model call and each tool call",
  description:
    "Of one's own sessions; with the permission usage:read of the whole organization. Days come newest first, other groups in the order of their keys.",
  query,
  replies: { 200: { description: "A page of sums.", schema: pageOf(usageSum) } },
  async handle({ operations, principal, query: { user, agent, after, ...filter } }) {
    const wanted = defined({ ...filter, owner: user, agent, after });
    return { status: 200, body: await sumUsage(operations, principal, wanted) };
  },
});
