import type { RetryBody, RunLimits, SendReply } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import { isStepBoundary } from "../session/next-step.ts";
import { acceptInputs, newInput } from "./accept-inputs.ts";
import { runFor } from "./access.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { foldSession } from "./fold-session.ts";
import { checkModel } from "./resolve-agent.ts";
import { requireOwnFiles } from "./sandbox-access.ts";
import { acceptedView } from "./views.ts";

/**
 * A new run from the last safe point of the session's last one, with other limits or another model when given. Rejects with
 * `run_not_found`, `not_the_last_run`, `unknown_model`.
 */
export async function retryRun(
  context: OperationsContext,
  principal: Principal,
  request: { readonly runId: string; readonly body: RetryBody; readonly origin: Origin },
): Promise<SendReply & { readonly replayed: boolean }> {
  const { runId, body, origin } = request;
  const { session } = await runFor({ context, principal, id: runId, permission: "session:write" });
  await requireOwnFiles(context, principal, session);
  await checkModel(context, session, body.model);
  const { state } = await foldSession(context, session);
  const mayRetry = state.run === null && state.lastRun?.id === runId && isStepBoundary(state);
  const input = newInput(
    {
      lane: "queue",
      runId: newId("run"),
      body: {
        type: "run.retry",
        runId,
        ...(body.model !== undefined && { model: body.model }),
        ...(body.limits !== undefined && { limits: definedLimits(body.limits) }),
      },
    },
    principal,
    origin,
  );
  const refusal = mayRetry ? null : notTheLast();
  const { result, replayed } = await acceptInputs(context, { session, inputs: [input], origin, refusal });
  return { inputs: result.map(acceptedView), replayed };
}

function definedLimits(limits: NonNullable<RetryBody["limits"]>): Partial<RunLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function notTheLast(): BerthError {
  return new BerthError(
    "not_the_last_run",
    "Only the session's last run can be tried again, once it is over: send a new message instead.",
  );
}
