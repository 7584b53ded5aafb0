import { deleteSession } from "../../operations/delete-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";

export const deleteSessionRoute = endpoint({
  id: "deleteSession",
  method: "delete",
  path: "/api/v1/sessions/{sessionId}",
  tag: "sessions",
  summary: "Deletes a session with its log and its workspace",
  description:
    "For its owner, or who has session:manage. Its run is ended first. What a fork shares stays for the fork.",
  params: sessionPath,
  replies: { 204: { description: "It is gone, and its key is free." } },
  problems: ["session_not_found"],
  async handle({ operations, principal, params, origin }) {
    await deleteSession(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
