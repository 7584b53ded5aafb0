import { pageOf, run, runStatus } from "@berth/contract";
import { z } from "zod";
import { listSessionRuns } from "../../operations/list-runs.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { sessionPath } from "../path-params.ts";
import { defined } from "../query.ts";

export const listSessionRunsRoute = endpoint({
  id: "listSessionRuns",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/runs",
  tag: "runs",
  summary: "A session's runs, newest first",
  params: sessionPath,
  query: z.strictObject({ ...pageQueryOf("run"), status: runStatus.optional() }),
  replies: { 200: { description: "A page of them.", schema: pageOf(run) } },
  problems: ["session_not_found"],
  async handle({ operations, principal, params, query }) {
    const filter = { ...params, ...defined(query) };
    return { status: 200, body: await listSessionRuns(operations, principal, filter) };
  },
});
