import { pageOf, shareLink } from "@berth/contract";
import { z } from "zod";
import { listShareLinks } from "../../operations/share-session.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { sessionPath } from "../path-params.ts";

export const listShareLinksRoute = endpoint({
  id: "listShareLinks",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/share-links",
  tag: "sessions",
  summary: "Lists a session's share links, newest first, those that have ended too",
  params: sessionPath,
  query: z.strictObject(pageQueryOf("shareLink")),
  replies: { 200: { description: "A page of links, without their tokens.", schema: pageOf(shareLink) } },
  problems: ["session_not_found"],
  async handle({ operations, principal, params, query }) {
    const { after, ...page } = query;
    const request = { ...params, ...page, ...(after !== undefined && { after }) };
    return { status: 200, body: await listShareLinks(operations, principal, request) };
  },
});
