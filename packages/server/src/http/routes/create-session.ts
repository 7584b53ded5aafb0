import { createSessionBody, createSessionReply } from "@berth/contract";
import { createSession } from "../../operations/create-session.ts";
import { endpoint } from "../endpoint.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createSessionRoute = endpoint({
  id: "createSession",
  method: "post",
  path: "/api/v1/sessions",
  tag: "sessions",
  summary: "Makes a session, or resumes the one with this key",
  description: "A session in the archive is taken out of it. A first input is accepted in the same step.",
  body: createSessionBody,
  replies: {
    200: { description: "The session that had this key already.", schema: createSessionReply },
    201: { description: "The new session.", schema: createSessionReply },
  },
  problems: [
    ...(["unknown_agent", "agent_archived", "unknown_model", "unknown_blob", "session_busy"] as const),
    ...([
      "unknown_owner",
      "session_quarantined",
      "mailbox_full",
      "approval_not_found",
      "already_decided",
    ] as const),
  ],
  async handle({ operations, principal, body, origin }) {
    const made = await createSession(operations, principal, { body, origin });
    const location = `/api/v1/sessions/${made.session.id}`;
    const headers = { location, ...replayHeaders(made) };
    return { status: made.created ? 201 : 200, body: made.session, headers };
  },
});
