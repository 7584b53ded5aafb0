import { deleteExport } from "../../operations/exports.ts";
import { endpoint } from "../endpoint.ts";
import { exportPath } from "../path-params.ts";

export const deleteExportRoute = endpoint({
  id: "deleteExport",
  method: "delete",
  path: "/api/v1/exports/{exportId}",
  tag: "data",
  summary: "Deletes an export and its file",
  params: exportPath,
  replies: { 204: { description: "It is gone." } },
  problems: ["export_not_found"],
  async handle({ operations, principal, params, origin }) {
    await deleteExport(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});
