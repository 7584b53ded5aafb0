import { run } from "@berth/contract";
import { cancelRun } from "../../operations/cancel-run.ts";
import { cancelBody } from "../cancel-body.ts";
import { endpoint } from "../endpoint.ts";
import { runPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const cancelRunRoute = endpoint({
  id: "cancelRun",
  method: "post",
  path: "/api/v1/runs/{runId}/cancel",
  tag: "runs",
  summary: "Ends one run, also while it is queued",
  params: runPath,
  body: cancelBody,
  bodyOptional: true,
  replies: { 200: { description: "The run as it is now.", schema: run }, 202: pendingReply },
  problems: ["run_not_found", "run_not_running", "session_quarantined"],
  async handle({ operations, principal, params, body, origin }) {
    return settledAnswer(await cancelRun(operations, principal, { ...params, ...body, origin }));
  },
});
