import { exportJob, pageOf } from "@berth/contract";
import { z } from "zod";
import { listExports } from "../../operations/exports.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

export const listExportsRoute = endpoint({
  id: "listExports",
  method: "get",
  path: "/api/v1/exports",
  tag: "data",
  summary: "One's own exports, newest first; all of them for who may export the organization",
  query: z.strictObject(pageQueryOf("export")),
  replies: { 200: { description: "One page.", schema: pageOf(exportJob) } },
  async handle({ operations, principal, query }) {
    return { status: 200, body: await listExports(operations, principal, defined(query)) };
  },
});
