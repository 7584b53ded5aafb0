import { createExportBody, exportJob } from "@berth/contract";
import { createExport } from "../../operations/exports.ts";
import { endpoint } from "../endpoint.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createExportRoute = endpoint({
  id: "createExport",
  method: "post",
  path: "/api/v1/exports",
  tag: "data",
  rate: "heavy",
  summary: "Asks for a copy of the organization's or of a user's data",
  description: "It is made in the background: look at it until it is `done`. No secret is in it.",
  body: createExportBody,
  replies: { 202: { description: "It is asked for.", schema: exportJob } },
  problems: ["member_not_found", "too_many_exports"],
  async handle({ operations, principal, body, origin }) {
    const created = await createExport(operations, principal, { body, origin });
    return { status: 202, body: created.job, headers: replayHeaders(created) };
  },
});
