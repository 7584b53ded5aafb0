import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { decodeEvent } from "../session/upcast.ts";
import type { ApprovalRecord, SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";
import { foldSession } from "./fold-session.ts";

interface Request {
  readonly context: OperationsContext;
  readonly principal: Principal;
  readonly session: SessionRecord;
  readonly approval: ApprovalRecord;
}

/** Events by which somebody asks something of a run. */
const asking: ReadonlySet<string> = new Set(["user.message", "system.message", "run.started"]);
const pageSize = 500;

/**
 * Rejects with `four_eyes` when the caller owns the session, or said something in the run that asks: nobody approves what it has asked
 * for itself.
 */
export async function refuseOwnRequest({ context, principal, session, approval }: Request): Promise<void> {
  if (principal.id === session.owner) {
    throw fourEyes("This agent's calls are approved by somebody other than the session's owner");
  }
  const { state } = await foldSession(context, session);
  if (state.run === null || state.run.id !== approval.runId) return;
  const store = context.store.session(session.orgId, session.id);
  for (let after = state.run.firstSeq - 1; after < session.lastSeq;) {
    const page = await store.readLog({ after, limit: pageSize });
    const last = page?.events.at(-1);
    if (last === undefined) return;
    const said = (page?.events ?? []).filter(({ type }) => asking.has(type));
    if (said.some(({ json }) => decodeEvent(json).actor.id === principal.id)) {
      throw fourEyes("This agent's calls are approved by somebody who has said nothing in the run");
    }
    after = last.seq;
  }
}

function fourEyes(rule: string): BerthError {
  return new BerthError("four_eyes", `${rule}: ask another person.`);
}
