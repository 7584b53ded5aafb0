import { session } from "@berth/contract";
import { cancelSession } from "../../operations/cancel-run.ts";
import { cancelBody } from "../cancel-body.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const cancelSessionRoute = endpoint({
  id: "cancelSession",
  method: "post",
  path: "/api/v1/sessions/{sessionId}/cancel",
  tag: "sessions",
  summary: "Ends the run that goes on in a session",
  params: sessionPath,
  body: cancelBody,
  bodyOptional: true,
  replies: { 200: { description: "The session as it is now.", schema: session }, 202: pendingReply },
  problems: ["session_not_found", "run_not_running", "session_quarantined"],
  async handle({ operations, principal, params, body, origin }) {
    return settledAnswer(await cancelSession(operations, principal, { ...params, ...body, origin }));
  },
});
