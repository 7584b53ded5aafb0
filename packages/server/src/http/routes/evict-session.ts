import { evictSession } from "../../operations/manage-runtime.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";

export const evictSessionRoute = endpoint({
  id: "evictSession",
  method: "delete",
  path: "/api/v1/runtime/sessions/{sessionId}",
  tag: "runtime",
  summary: "Takes one session out of memory; nothing of it is lost",
  params: sessionPath,
  replies: { 204: { description: "No worker holds it in memory any more." } },
  problems: ["session_not_found", "session_not_live", "session_in_use"],
  async handle({ operations, principal, params, origin }) {
    await evictSession(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
