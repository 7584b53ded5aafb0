import { BerthError } from "../../../../lib/errors.ts";
import type { ShareLinkRecord } from "../../../access.ts";
import type { AccessOperations } from "../../protocol/access.ts";
import { findShareLinkRecord } from "../../queries/share-links.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";

type Args<K extends keyof AccessOperations> = Parameters<AccessOperations[K]>[0];

export function createShareLink(
  tx: Transaction,
  args: Args<"createShareLink">,
): ReturnType<AccessOperations["createShareLink"]> {
  return once(tx, args, () => {
    const { orgId, id, sessionId } = args;
    // The session may have been deleted since the caller looked.
    const { changes } = tx
      .sql(
        `INSERT INTO share_links (org_id, id, session_id, token_hash, created_by, created_at, expires_at)
          SELECT org_id, ?, id, ?, ?, ?, ? FROM sessions WHERE org_id = ? AND id = ?`,
      )
      .run(id, args.tokenHash, args.createdBy, tx.now, args.expiresAt, orgId, sessionId);
    if (Number(changes) === 0) {
      throw new BerthError("session_not_found", `There is no session ${sessionId}.`);
    }
    return written(tx, orgId, id);
  });
}

export function revokeShareLink(tx: Transaction, args: Args<"revokeShareLink">): ShareLinkRecord | null {
  const { orgId, id, sessionId } = args;
  const { changes } = tx
    .sql(
      "UPDATE share_links SET revoked_at = ? WHERE org_id = ? AND id = ? AND session_id = ? AND revoked_at IS NULL",
    )
    .run(tx.now, orgId, id, sessionId);
  return Number(changes) === 0 ? null : written(tx, orgId, id);
}

export function noteShareLinkUses(tx: Transaction, uses: Args<"noteShareLinkUses">): void {
  for (const { orgId, id, at, count } of uses) {
    tx.sql(
      `UPDATE share_links SET uses = uses + ?, last_used_at = max(coalesce(last_used_at, 0), ?)
        WHERE org_id = ? AND id = ?`,
    ).run(count, at, orgId, id);
  }
}

function written(tx: Transaction, orgId: string, id: string): ShareLinkRecord {
  const link = findShareLinkRecord(tx.sql, orgId, id);
  if (link === null) throw new BerthError("internal", `share link ${id} was written and cannot be read`);
  return link;
}
