import { exportJob } from "@berth/contract";
import { getExport } from "../../operations/exports.ts";
import { endpoint } from "../endpoint.ts";
import { exportPath } from "../path-params.ts";

export const getExportRoute = endpoint({
  id: "getExport",
  method: "get",
  path: "/api/v1/exports/{exportId}",
  tag: "data",
  summary: "One export, and how far it is",
  params: exportPath,
  replies: { 200: { description: "The export.", schema: exportJob } },
  problems: ["export_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getExport(operations, principal, params) };
  },
});
