import { revokeShareLink } from "../../operations/share-session.ts";
import { endpoint } from "../endpoint.ts";
import { shareLinkPath } from "../path-params.ts";

export const revokeShareLinkRoute = endpoint({
  id: "revokeShareLink",
  method: "delete",
  path: "/api/v1/sessions/{sessionId}/share-links/{linkId}",
  tag: "sessions",
  summary: "Revokes a share link",
  description: "Streams that it opened end within seconds.",
  params: shareLinkPath,
  replies: { 204: { description: "It opens nothing any more." } },
  problems: ["session_not_found", "share_link_not_found"],
  async handle({ operations, principal, params, origin }) {
    await revokeShareLink(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
