import { createShareLinkBody, createShareLinkReply } from "@berth/contract";
import { createShareLink } from "../../operations/share-session.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";

export const createShareLinkRoute = endpoint({
  id: "createShareLink",
  method: "post",
  path: "/api/v1/sessions/{sessionId}/share-links",
  tag: "sessions",
  summary: "Makes a link with which anybody reads the session",
  description:
    "For its owner, or who has session:manage. The token opens the session, its events, todos and files, for reading; it is shown this once.",
  params: sessionPath,
  body: createShareLinkBody,
  bodyOptional: true,
  replies: { 201: { description: "The link, with its token.", schema: createShareLinkReply } },
  problems: ["session_not_found", "already_created"],
  async handle({ operations, principal, params, body, origin }) {
    const made = await createShareLink(operations, principal, { ...params, ...body, origin });
    return { status: 201, body: made };
  },
});
