import { liveSession, pageOf } from "@berth/contract";
import { listLiveSessions } from "../../operations/inspect-runtime.ts";
import { endpoint } from "../endpoint.ts";

export const listLiveSessionsRoute = endpoint({
  id: "listLiveSessions",
  method: "get",
  path: "/api/v1/runtime/sessions",
  tag: "runtime",
  summary: "The sessions that workers hold in memory",
  replies: { 200: { description: "All of them.", schema: pageOf(liveSession) } },
  async handle({ operations, principal }) {
    return { status: 200, body: { items: await listLiveSessions(operations, principal), next: null } };
  },
});
