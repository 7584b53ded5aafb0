import { channels, eventTypes, pageOf, pageQuery, sessionEvent } from "@berth/contract";
import { z } from "zod";
import { listEvents } from "../../operations/list-events.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { listOf } from "../query.ts";

const query = z.strictObject({
  limit: pageQuery.limit,
  after: z
    .string()
    .regex(/^(\d{1,9}\.)?\d{1,15}$/, "must be a cursor, generation.seq, or a seq")
    .optional(),
  types: listOf(z.enum(eventTypes)).optional().describe("event types, joined by commas"),
  channel: listOf(z.enum(channels)).optional().describe("progress, control or monitor, joined by commas"),
  namespace: listOf(z.string())
    .optional()
    .describe("paths of sub-agents, joined by commas; empty for the session's own agent"),
});

export const listEventsRoute = endpoint({
  id: "listEvents",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/events",
  tag: "events",
  shareable: true,
  summary: "The session's log",
  description:
    "In order, rewound events included. A page that a filter left short may still have a next one.",
  params: sessionPath,
  query,
  replies: { 200: { description: "A page of it.", schema: pageOf(sessionEvent) } },
  problems: ["session_not_found", "cursor_invalid"],
  async handle({ operations, principal, params, query: { channel, namespace, ...rest } }) {
    const filter = { channels: channel, namespaces: namespace };
    const page = await listEvents(operations, principal, { ...params, ...rest, ...filter });
    return { status: 200, body: page };
  },
});
