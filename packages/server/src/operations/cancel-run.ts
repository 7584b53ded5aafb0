import type { Run, Session, SendableInput } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import type { SessionRecord } from "../store/records.ts";
import { newInput } from "./accept-inputs.ts";
import { runFor, runNotFound, sessionFor } from "./access.ts";
import { reread, settle, type Settled } from "./apply-inputs.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { runView, sessionView } from "./views.ts";

interface Cancel {
  readonly reason?: string | undefined;
  readonly origin: Origin;
}

/** Ends the run that goes on in a session. Rejects with `session_not_found` or `run_not_running`. */
export async function cancelSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId, ...cancel }: Cancel & { readonly sessionId: string },
): Promise<Settled<Session>> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  return settle(context, interrupt(principal, session, cancel), async () =>
    sessionView(await reread(context, session)),
  );
}

/** Ends one run, also while it is queued. Rejects with `run_not_found` or `run_not_running`. */
export async function cancelRun(
  context: OperationsContext,
  principal: Principal,
  { runId, ...cancel }: Cancel & { readonly runId: string },
): Promise<Settled<Run>> {
  const { session } = await runFor({ context, principal, id: runId, permission: "session:write" });
  return settle(context, interrupt(principal, session, cancel, runId), async () => {
    const run = await context.store.org(principal.orgId).findRun(runId);
    if (run === null) throw runNotFound(runId);
    return runView(run);
  });
}

function interrupt(principal: Principal, session: SessionRecord, { reason, origin }: Cancel, runId?: string) {
  const body: SendableInput = {
    type: "user.interrupt",
    ...(runId !== undefined && { runId }),
    ...(reason !== undefined && { reason }),
  };
  return { session, origin, inputs: [newInput({ lane: "control", body }, principal, origin)] };
}
