import { sendBody, sendReply } from "@berth/contract";
import { sendInputs } from "../../operations/send-inputs.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { replayHeaders } from "../settled-answer.ts";

export const sendEventsRoute = endpoint({
  id: "sendEvents",
  method: "post",
  path: "/api/v1/sessions/{sessionId}/events",
  tag: "events",
  summary: "Sends messages, decisions, tool results or an interrupt to a session",
  description: "All of them or none is accepted. What was accepted is kept, whatever happens to the server.",
  params: sessionPath,
  body: sendBody,
  replies: { 202: { description: "Accepted: each input and its place in the mailbox.", schema: sendReply } },
  problems: [
    ...(["session_not_found", "session_archived", "session_busy", "session_quarantined"] as const),
    ...(["mailbox_full", "approval_not_found", "already_decided", "four_eyes"] as const),
    ...(["tool_result_too_large", "unknown_blob"] as const),
  ],
  async handle({ operations, principal, params, body, origin }) {
    const sent = await sendInputs(operations, principal, { ...params, ...body, origin });
    return { status: 202, body: { inputs: sent.inputs }, headers: replayHeaders(sent) };
  },
});
