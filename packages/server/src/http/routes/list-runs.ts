import { idSchema, pageOf, run, runStatus } from "@berth/contract";
import { z } from "zod";
import { listRuns } from "../../operations/list-runs.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

const query = z.strictObject({
  ...pageQueryOf("run"),
  sessionId: idSchema("session").optional(),
  status: runStatus.optional(),
});

export const listRunsRoute = endpoint({
  id: "listRuns",
  method: "get",
  path: "/api/v1/runs",
  tag: "runs",
  summary: "Runs, newest first",
  query,
  replies: { 200: { description: "A page of them.", schema: pageOf(run) } },
  async handle({ operations, principal, query: filter }) {
    return { status: 200, body: await listRuns(operations, principal, defined(filter)) };
  },
});
