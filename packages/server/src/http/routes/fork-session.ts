import { forkBody, session } from "@berth/contract";
import { forkSession } from "../../operations/fork-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { replayHeaders } from "../settled-answer.ts";

export const forkSessionRoute = endpoint({
  id: "forkSession",
  method: "post",
  path: "/api/v1/sessions/{sessionId}/fork",
  tag: "sessions",
  rate: "heavy",
  summary: "Branches a new session off at an event",
  description:
    "It shares the log up to there, and gets the workspace as it was at the last run that ended before.",
  params: sessionPath,
  body: forkBody,
  bodyOptional: true,
  replies: { 201: { description: "The new session.", schema: session } },
  problems: ["session_not_found", "seq_not_found"],
  async handle({ operations, principal, params, body, origin }) {
    const forked = await forkSession(operations, principal, { ...params, ...body, origin });
    const location = `/api/v1/sessions/${forked.session.id}`;
    return { status: 201, body: forked.session, headers: { location, ...replayHeaders(forked) } };
  },
});
