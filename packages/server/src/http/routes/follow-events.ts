import { endpoint } from "../endpoint.ts";
import { followQuerySchema, followRequest } from "../follow-query.ts";
import { sessionPath } from "../path-params.ts";

export const followEventsRoute = endpoint({
  id: "followEvents",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/events/stream",
  tag: "events",
  shareable: true,
  summary: "The session's log as it grows, as server-sent events",
  description:
    "Every event after the cursor once and in order, whose id is the cursor to go on from after a disconnect (`Last-Event-ID`, which comes before `after`). Live events have no id. With a filter `event: cursor` tells the position now and then; `event: end` says why nothing will come any more.",
  params: sessionPath,
  query: followQuerySchema,
  replies: {
    200: { description: "The stream.", mediaType: "text/event-stream" },
    204: { description: "The session is archived and nothing lies after the cursor: do not connect again." },
  },
  problems: ["session_not_found", "cursor_invalid", "too_many_streams"],
  async handle({ context, principal, params, query, request, requestId }) {
    const { after, filter } = followRequest(query);
    const resumed = request.headers.get("last-event-id") || null;
    const follow = { ...params, after: resumed ?? after, filter };
    return { raw: await context.streams.answer({ request, requestId, principal, follow }) };
  },
});
