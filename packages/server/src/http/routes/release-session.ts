import { session } from "@berth/contract";
import { releaseSession } from "../../operations/manage-runtime.ts";
import { endpoint } from "../endpoint.ts";
import { emptyBody, sessionPath } from "../path-params.ts";

export const releaseSessionRoute = endpoint({
  id: "releaseSession",
  method: "post",
  path: "/api/v1/sessions/{sessionId}/release",
  tag: "sessions",
  summary: "Lets a quarantined session run again",
  params: sessionPath,
  body: emptyBody,
  bodyOptional: true,
  replies: { 200: { description: "The session as it is now.", schema: session } },
  problems: ["session_not_found", "not_quarantined"],
  async handle({ operations, principal, params, origin }) {
    return { status: 200, body: await releaseSession(operations, principal, { ...params, origin }) };
  },
});
