import { createErasureBody, erasure } from "@berth/contract";
import { createErasure } from "../../operations/erasures.ts";
import { endpoint } from "../endpoint.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createErasureRoute = endpoint({
  id: "createErasure",
  method: "post",
  path: "/api/v1/erasures",
  tag: "data",
  rate: "heavy",
  summary: "Erases a user or the whole organization",
  description:
    "They get nowhere from now on; the rest is done in the background: look at it until it is `done`. There is no way back.",
  body: createErasureBody,
  replies: { 202: { description: "It has begun.", schema: erasure } },
  problems: [
    "member_not_found",
    "org_not_found",
    "confirm_mismatch",
    "erasure_running",
    "home_org",
    "last_owner",
    "operator_account",
  ],
  async handle({ operations, principal, body, origin }) {
    const created = await createErasure(operations, principal, { body, origin });
    return { status: 202, body: created.erasure, headers: replayHeaders(created) };
  },
});
