import { session, updateSessionBody } from "@berth/contract";
import { updateSession } from "../../operations/update-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const updateSessionRoute = endpoint({
  id: "updateSession",
  method: "patch",
  path: "/api/v1/sessions/{sessionId}",
  tag: "sessions",
  summary: "Changes title, metadata, model or agent of a session, who sees it, or archives it",
  description:
    "Archiving ends the run that goes on. Who sees it is for its owner to say, or for who has session:manage.",
  params: sessionPath,
  body: updateSessionBody,
  replies: { 200: { description: "The session as it is now.", schema: session }, 202: pendingReply },
  problems: ["session_not_found", "unknown_agent", "agent_archived", "unknown_model", "session_quarantined"],
  async handle({ operations, principal, params, body, origin }) {
    return settledAnswer(await updateSession(operations, principal, { ...params, body, origin }));
  },
});
