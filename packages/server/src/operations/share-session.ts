import type { CreateShareLinkReply, Page, ShareLink } from "@berth/contract";
import { hintAuth } from "../auth/auth-hints.ts";
import type { Principal } from "../auth/principal.ts";
import { makeToken } from "../auth/token.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { ShareLinkRecord } from "../store/access.ts";
import type { SessionRecord } from "../store/records.ts";
import { requireOwn, sessionFor } from "./access.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { pageView, timeText } from "./views.ts";

interface OfSession {
  readonly sessionId: string;
  readonly origin: Origin;
}

/**
 * A link with which anybody reads the session until it expires. Its token is in this reply and nowhere else. Rejects with
 * `session_not_found`, or `already_created` when the request is a repetition.
 */
export async function createShareLink(
  context: OperationsContext,
  principal: Principal,
  { sessionId, expiresInMs, origin }: OfSession & { readonly expiresInMs: number },
): Promise<CreateShareLinkReply> {
  const session = await ownSession(context, principal, sessionId);
  const { token, hash } = makeToken("share link", context.keys.pepper);
  const now = context.clock.now();
  const id = newId("shareLink", now);
  const expiresAt = now + expiresInMs;
  const { result, replayed } = await context.store.org(session.orgId).access.createShareLink({
    id,
    sessionId,
    tokenHash: hash,
    createdBy: principal.id,
    expiresAt,
    audit: auditDraft(principal, origin, {
      action: "share_link.created",
      target: { type: "share_link", id },
      details: { sessionId, expiresAt: timeText(expiresAt) },
    }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  if (replayed) {
    throw new BerthError(
      "already_created",
      `This request made the share link ${result.id} already; its token is not shown again. Revoke it and make another.`,
      { details: { id: result.id } },
    );
  }
  return { ...shareLinkView(result), token: token.reveal() };
}

/** Newest first, those that have ended too. Rejects with `session_not_found`. */
export async function listShareLinks(
  context: OperationsContext,
  principal: Principal,
  { sessionId, ...page }: { readonly sessionId: string; readonly limit: number; readonly after?: string },
): Promise<Page<ShareLink>> {
  const { orgId } = await ownSession(context, principal, sessionId);
  return pageView(
    await context.store.org(orgId).access.listShareLinks({ sessionId, ...page }),
    shareLinkView,
  );
}

/** Ends a link; streams that it opened end within seconds. Rejects with `session_not_found` or `share_link_not_found`. */
export async function revokeShareLink(
  context: OperationsContext,
  principal: Principal,
  { sessionId, linkId, origin }: OfSession & { readonly linkId: string },
): Promise<void> {
  const { orgId } = await ownSession(context, principal, sessionId);
  const audit = auditDraft(principal, origin, {
    action: "share_link.revoked",
    target: { type: "share_link", id: linkId },
    details: { sessionId },
  });
  const revoked = await context.store.org(orgId).access.revokeShareLink({ sessionId, id: linkId, audit });
  if (revoked === null) throw shareLinkNotFound(linkId);
  hintAuth(context.bus, orgId);
}

export function shareLinkNotFound(id: string): BerthError {
  return new BerthError("share_link_not_found", `There is no share link ${id} that works.`);
}

async function ownSession(
  context: OperationsContext,
  principal: Principal,
  sessionId: string,
): Promise<SessionRecord> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:share" });
  requireOwn(principal, session, "share it by a link");
  return session;
}

function shareLinkView({ orgId: _orgId, ...link }: ShareLinkRecord): ShareLink {
  const timeOrNull = (ms: number | null) => (ms === null ? null : timeText(ms));
  return {
    ...link,
    createdAt: timeText(link.createdAt),
    expiresAt: timeText(link.expiresAt),
    revokedAt: timeOrNull(link.revokedAt),
    lastUsedAt: timeOrNull(link.lastUsedAt),
  };
}
