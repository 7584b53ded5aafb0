import { rewindBody, session } from "@berth/contract";
import { rewindSession } from "../../operations/rewind-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const rewindSessionRoute = endpoint({
  id: "rewindSession",
  method: "post",
  path: "/api/v1/sessions/{sessionId}/rewind",
  tag: "sessions",
  summary: "Takes the conversation and the workspace back to a step boundary",
  description:
    "Ends the run that goes on. What is undone stays in the log; usage and effects outside are not undone.",
  params: sessionPath,
  body: rewindBody,
  replies: { 200: { description: "The session as it is now.", schema: session }, 202: pendingReply },
  problems: ["session_not_found", "not_a_safe_point", "restore_failed", "session_quarantined"],
  async handle({ operations, principal, params, body, origin }) {
    return settledAnswer(await rewindSession(operations, principal, { ...params, ...body, origin }));
  },
});
