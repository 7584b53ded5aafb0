import { session } from "@berth/contract";
import { getSession } from "../../operations/get-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";

export const getSessionRoute = endpoint({
  id: "getSession",
  method: "get",
  path: "/api/v1/sessions/{sessionId}",
  tag: "sessions",
  shareable: true,
  summary: "One session",
  params: sessionPath,
  replies: { 200: { description: "The session.", schema: session } },
  problems: ["session_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getSession(operations, principal, params) };
  },
});
