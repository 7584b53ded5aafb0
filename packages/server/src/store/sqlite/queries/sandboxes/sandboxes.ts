import type { LiveSandbox, SandboxCount, SandboxRecord } from "../../../sandboxes.ts";
import type { Connection } from "../../connection.ts";
import { Conditions } from "../visible.ts";

type Sql = Connection["sql"];
type SandboxRow = Omit<SandboxRecord, "policy"> & { readonly policy: string };

/** Written as the partial indexes are, so that they are taken. */
export const liveStates = "('requested', 'creating', 'warm', 'claimed', 'active', 'destroying')";
/** That count against quotas and hold the place of their session. */
export const heldStates = "('requested', 'creating', 'claimed', 'active')";

const select = `SELECT b.id, b.incarnation, b.deployment, b.provider, b.host, b.template, b.state, b.owner_instance AS ownerInstance,
  b.owner_org AS orgId, b.owner_user AS userId, b.session AS sessionId, b.strategy, b.workspace_id AS workspaceId, b.policy, b.url,
  b.created_at AS createdAt, b.changed_at AS changedAt, b.claimed_at AS claimedAt, b.last_used_at AS lastUsedAt,
  b.expires_at AS expiresAt, b.idle_ttl AS idleTtlMs, b.destroy_reason AS destroyReason, b.attempts FROM sandboxes b`;

function record<T extends { readonly policy: string }>(row: T): Omit<T, "policy"> & { policy: unknown } {
  return { ...row, policy: JSON.parse(row.policy) as unknown };
}

export function findSandbox(sql: Sql, id: string): SandboxRecord | null {
  const row = sql<SandboxRow>(`${select} WHERE b.id = ?`).get(id);
  return row === undefined ? null : record(row);
}

/** Every one that has not ended, oldest first. */
export function liveSandboxes(sql: Sql): LiveSandbox[] {
  const gone = `SELECT rowed.*, rowed.orgId IS NOT NULL AND rowed.strategy <> 'User-Exclusive' AND NOT EXISTS
    (SELECT 1 FROM sessions s WHERE s.org_id = rowed.orgId AND s.id = rowed.sessionId) AS sessionGone FROM
    (${select} WHERE b.state IN ${liveStates}) rowed ORDER BY rowed.createdAt, rowed.id`;
  return sql<SandboxRow & { readonly sessionGone: number | null }>(gone)
    .all()
    .map((row) => ({ ...record(row), sessionGone: row.sessionGone === 1 }));
}

/** The one that a session or user has or is about to have. */
export function findHeld(
  sql: Sql,
  owner: {
    readonly orgId: string;
    readonly userId: string;
    readonly sessionId: string;
    readonly strategy: string;
  },
): SandboxRecord | null {
  const { orgId, userId, sessionId, strategy } = owner;
  const row =
    strategy === "User-Exclusive"
      ? sql<SandboxRow>(
          `${select} WHERE b.owner_org = ? AND b.owner_user = ? AND b.strategy = 'User-Exclusive' AND b.state IN ${heldStates}`,
        ).get(orgId, userId)
      : sql<SandboxRow>(
          `${select} WHERE b.owner_org = ? AND b.session = ? AND b.session IS NOT NULL AND b.strategy <> 'User-Exclusive'
            AND b.state IN ${heldStates}`,
        ).get(orgId, sessionId);
  return row === undefined ? null : record(row);
}

/** Those that count against quotas. */
export function countHeld(
  sql: Sql,
  { orgId, userId }: { readonly orgId: string; readonly userId: string },
): SandboxCount {
  const row = sql<{ ofOrg: number; ofUser: number | null }>(
    `SELECT count(*) AS ofOrg, sum(owner_user = ?2) AS ofUser FROM sandboxes WHERE owner_org = ?1 AND state IN ${heldStates}`,
  ).get(orgId, userId);
  return { ofUser: row?.ofUser ?? 0, ofOrg: row?.ofOrg ?? 0 };
}

interface SandboxFilter {
  readonly limit: number;
  readonly after?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly states?: readonly string[];
}

/** Of an organization, newest first; one more than the limit when there is one. */
export function listSandboxes(
  sql: Sql,
  orgId: string,
  { limit, after, userId, sessionId, states }: SandboxFilter,
): SandboxRecord[] {
  const where = new Conditions().and("b.owner_org = ?", orgId);
  if (after !== undefined) where.and("b.id < ?", after);
  if (userId !== undefined) where.and("b.owner_user = ?", userId);
  if (states !== undefined) where.and("b.state IN (SELECT value FROM json_each(?))", JSON.stringify(states));
  if (sessionId !== undefined) {
    where.and(
      `(b.session = ? AND b.strategy <> 'User-Exclusive' OR EXISTS (SELECT 1 FROM sandbox_allocations a
        WHERE a.sandbox_id = b.id AND a.is_active = 1 AND a.session_id = ?))`,
      sessionId,
      sessionId,
    );
  }
  return sql<SandboxRow>(
    `${select} WHERE ${where.text} AND b.state IN ${liveStates} ORDER BY b.id DESC LIMIT ?`,
  )
    .all(...where.values, limit + 1)
    .map(record);
}
