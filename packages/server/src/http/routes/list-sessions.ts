import { agentName, idSchema, pageOf, session, sessionKey, sessionStatus } from "@berth/contract";
import { z } from "zod";
import { listSessions } from "../../operations/list-sessions.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined, flag } from "../query.ts";

const pair = z
  .string()
  .max(2_100)
  .regex(/^[^:]{1,64}:/, "must be name:value");

const query = z.strictObject({
  ...pageQueryOf("session"),
  owner: z.string().min(1).max(100).optional(),
  agent: z
    .union([idSchema("agent"), agentName])
    .optional()
    .describe("id or name"),
  key: sessionKey.optional(),
  status: sessionStatus.optional(),
  archived: flag.optional().describe("default: archived ones are left out"),
  search: z.string().min(1).max(200).optional().describe("a part of title or key"),
  metadata: z
    .union([pair, z.array(pair).max(20)])
    .optional()
    .describe("name:value, several times for several pairs"),
});

export const listSessionsRoute = endpoint({
  id: "listSessions",
  method: "get",
  path: "/api/v1/sessions",
  tag: "sessions",
  summary: "Sessions, newest first",
  query,
  replies: { 200: { description: "A page of them.", schema: pageOf(session) } },
  async handle({ operations, principal, query: { metadata, ...rest } }) {
    const filter = { ...defined(rest), ...(metadata !== undefined && { metadata: pairsOf(metadata) }) };
    return { status: 200, body: await listSessions(operations, principal, filter) };
  },
});

function pairsOf(texts: string | readonly string[]): Record<string, string> {
  const list = typeof texts === "string" ? [texts] : texts;
  return Object.fromEntries(
    list.map((text) => [text.split(":", 1)[0] ?? "", text.slice(text.indexOf(":") + 1)]),
  );
}
