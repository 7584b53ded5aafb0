import { run } from "@berth/contract";
import { getRun } from "../../operations/list-runs.ts";
import { endpoint } from "../endpoint.ts";
import { runPath } from "../path-params.ts";

export const getRunRoute = endpoint({
  id: "getRun",
  method: "get",
  path: "/api/v1/runs/{runId}",
  tag: "runs",
  summary: "One run",
  params: runPath,
  replies: { 200: { description: "The run.", schema: run } },
  problems: ["run_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getRun(operations, principal, params) };
  },
});
