import { session, timestamp } from "@berth/contract";
import { z } from "zod";
import { summarizeSession } from "../../operations/summarize-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";

const said = z.strictObject({ seq: z.int().min(1), at: timestamp, text: z.string() }).nullable();
const count = z.int().nonnegative();
const summary = z.strictObject({
  session,
  firstMessage: said,
  lastMessage: said,
  lastAnswer: said,
  counts: z.strictObject({
    events: count,
    messages: count,
    answers: count,
    runs: count,
    steps: count,
    toolCalls: count,
    subagents: count,
    approvals: count,
  }),
});

export const getSessionSummary = endpoint({
  id: "getSessionSummary",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/summary",
  tag: "sessions",
  summary: "What a session is about and how far it came",
  description: "Told from its log, without a model. Long texts are cut.",
  params: sessionPath,
  replies: { 200: { description: "The summary.", schema: summary } },
  problems: ["session_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await summarizeSession(operations, principal, params) };
  },
});
