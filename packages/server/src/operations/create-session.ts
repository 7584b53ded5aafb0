import type { createSessionBody, CreateSessionReply, SendableInput } from "@berth/contract";
import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { SessionRecord } from "../store/records.ts";
import type { CreatedSession, NewSession, Outcome } from "../store/store.ts";
import { newInput, refusalOf } from "./accept-inputs.ts";
import { decisionDraft } from "./audit-decision.ts";
import { alreadyDecided } from "./check-decision.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { firstEvents } from "./first-events.ts";
import { actedAs, defaultVisibility, ownerOf } from "./new-session-owner.ts";
import { type Prepared, prepareInputs } from "./prepare-inputs.ts";
import { checkModel, resolveAgent } from "./resolve-agent.ts";
import { acceptedView, sessionView } from "./views.ts";
import { hintSessions, wakeSession } from "./wake-session.ts";

type Body = z.output<typeof createSessionBody>;

interface CreateSession {
  readonly body: Body;
  readonly origin: Origin;
}

export interface SessionCreated {
  readonly created: boolean;
  readonly replayed: boolean;
  readonly session: CreateSessionReply;
}

/**
 * Makes a session, or resumes the one that its owner knows by this key; takes it out of the archive when it is there. Two at
 * once get one session. A first input is accepted in the same commit.
 */
export async function createSession(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: CreateSession,
): Promise<SessionCreated> {
  requirePermission(principal, "session:write");
  const owner = await ownerOf(context, principal, body.owner);
  const existing = await findByKey(context, { orgId: principal.orgId, owner }, body.key);
  const prepared = await prepareFirst({ context, principal, origin, session: existing }, body.input);
  if (prepared.rejectIfBusy && existing !== null && existing.currentRunId !== null) throw busy(existing);
  const session = await newSession(context, principal, { body, existing, owner });
  const first = typeof body.input === "object" ? [body.input] : [];
  const { result, replayed } = await commit(context, principal, {
    session,
    audit:
      owner === principal.id
        ? decisionDraft(principal, origin, { sessionId: existing?.id ?? session.row.id, inputs: first })
        : actedAs(principal, origin, { owner, session: existing ?? session.row }),
    prepared,
    unarchive: existing?.status === "archived",
    origin,
  });
  failpoint("http.created.before-reply");
  await tell(context, { result, replayed }, prepared);
  const input = body.input === undefined ? undefined : result.inputs.at(-1);
  const reply = { ...sessionView(result.session), ...(input && { input: acceptedView(input) }) };
  return { created: result.created, replayed, session: reply };
}

async function findByKey(
  context: OperationsContext,
  { orgId, owner }: { orgId: string; owner: string },
  key: string | undefined,
): Promise<SessionRecord | null> {
  if (key === undefined) return null;
  return context.store.org(orgId).findSessionByKey(owner, key);
}

function prepareFirst(
  preparation: Parameters<typeof prepareInputs>[0],
  input: Body["input"],
): Promise<Prepared> {
  const bodies: SendableInput[] = [];
  if (typeof input === "string") bodies.push({ type: "user.message", content: input, onBusy: "enqueue" });
  else if (input !== undefined) bodies.push(input);
  return prepareInputs(preparation, bodies);
}

interface Commit {
  readonly session: Omit<NewSession, "inputs">;
  readonly audit: AuditDraft | null;
  readonly prepared: Prepared;
  readonly unarchive: boolean;
  readonly origin: Origin;
}

/** A session that is archived between our look and the commit is taken out of the archive at the second try. */
async function commit(
  context: OperationsContext,
  principal: Principal,
  { session, audit, prepared, unarchive, origin }: Commit,
): Promise<Outcome<CreatedSession>> {
  const revival = newInput(
    { lane: "control", body: { type: "session.archive", archived: false } },
    principal,
    origin,
  );
  const create = (archived: boolean) =>
    context.store.org(principal.orgId).createSession({
      ...session,
      ...(audit !== null && { audit }),
      inputs: [...(archived ? [revival] : []), ...prepared.inputs],
      ...(prepared.late !== null && { refusal: refusalOf(alreadyDecided(prepared.late)) }),
      ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
    });
  try {
    return await create(unarchive);
  } catch (thrown) {
    const raced = thrown instanceof BerthError && thrown.code === "session_archived" && !unarchive;
    if (!raced) throw thrown;
    return create(true);
  }
}

async function newSession(
  context: OperationsContext,
  principal: Principal,
  { body, existing, owner }: { body: Body; existing: SessionRecord | null; owner: string },
): Promise<Omit<NewSession, "inputs">> {
  await checkModel(context, { orgId: principal.orgId, owner }, body.model);
  const about = {
    agent: existing?.agent ?? (await resolveAgent(context, principal.orgId, body.agent)),
    owner,
    key: body.key ?? null,
    title: body.title ?? null,
    metadata: body.metadata ?? {},
    model: body.model ?? null,
  };
  const now = context.clock.now();
  const id = newId("session", now);
  const actor = { type: principal.type, id: principal.id } as const;
  const session = firstEvents({
    orgId: principal.orgId,
    sessionId: id,
    at: new Date(now).toISOString(),
    events: [{ type: "session.created", actor, data: about }],
  });
  const visibility = body.visibility ?? (await defaultVisibility(context, principal.orgId));
  return { ...session, row: { ...session.row, visibility } };
}

async function tell(
  context: OperationsContext,
  { result, replayed }: Outcome<CreatedSession>,
  { inputs }: Prepared,
): Promise<void> {
  if (result.created) hintSessions(context, result.session);
  if (result.inputs.length > 0) await wakeSession(context, result.session);
  if (replayed) return;
  const { orgId, id: sessionId } = result.session;
  for (const { id, body } of inputs) {
    context.telemetry.inputAccepted({ orgId, sessionId, inputId: id, type: body.type });
  }
}

function busy({ id }: SessionRecord): BerthError {
  return new BerthError("session_busy", `Session ${id} has a run under way: send it again later.`, {
    retryable: true,
  });
}
