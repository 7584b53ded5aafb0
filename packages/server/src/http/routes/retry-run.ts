import { retryBody, sendReply } from "@berth/contract";
import { retryRun } from "../../operations/retry-run.ts";
import { endpoint } from "../endpoint.ts";
import { runPath } from "../path-params.ts";
import { replayHeaders } from "../settled-answer.ts";

export const retryRunRoute = endpoint({
  id: "retryRun",
  method: "post",
  path: "/api/v1/runs/{runId}/retry",
  tag: "runs",
  summary: "Tries the session's last run again, as a new run",
  description: "From its last safe point, with other limits or another model when they are given.",
  params: runPath,
  body: retryBody,
  bodyOptional: true,
  replies: { 202: { description: "Accepted: the input, and the id of the new run.", schema: sendReply } },
  problems: [
    "run_not_found",
    "not_the_last_run",
    "unknown_model",
    "session_archived",
    "session_quarantined",
    "mailbox_full",
  ],
  async handle({ operations, principal, params, body, origin }) {
    const sent = await retryRun(operations, principal, { ...params, body, origin });
    return { status: 202, body: { inputs: sent.inputs }, headers: replayHeaders(sent) };
  },
});
