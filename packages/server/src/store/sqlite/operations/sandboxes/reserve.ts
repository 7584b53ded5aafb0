import { BerthError } from "../../../../lib/errors.ts";
import type { NewSandbox, Reserve, Reserved, SandboxOwner, SandboxRecord } from "../../../sandboxes.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findWorkspace } from "../../queries/sandboxes/allocations.ts";
import { countHeld, findHeld, findSandbox } from "../../queries/sandboxes/sandboxes.ts";
import type { Transaction } from "../../transaction.ts";
import { assertSession } from "./assert-session.ts";
import { moveSandbox } from "./move.ts";

/** Quotas are counted and the row is written in one commit: no race exceeds them. */
export function reserveSandbox(tx: Transaction, reserve: Reserve): Reserved {
  const { owner } = reserve;
  assertSession(tx, owner);
  assertPlace(tx, reserve);
  const ended = endInstead(tx, reserve);
  const there = findHeld(tx.sql, owner);
  if (there !== null) return { kind: "there", record: there, ended };
  const over = overQuota(tx, reserve);
  if (over !== null) return { kind: "quota", ...over, ended };
  if (reserve.warm) {
    const record = claimWarm(tx, reserve);
    if (record !== null) return { kind: "warm", record, ended };
  }
  insert(tx, reserve, { owner, workspaceId: reserve.workspaceId, host: null });
  return { kind: "new", record: written(tx, reserve.id), ended };
}

/** The files may have been moved since it was read where they are. */
function assertPlace(tx: Transaction, { owner, workspaceId, host }: Reserve): void {
  const record = findWorkspace(tx.sql, owner.orgId, owner.sessionId);
  if (record === null || (record.workspaceId === workspaceId && record.host === host)) return;
  throw new BerthError("sandbox_gone", "The session's files were moved meanwhile; connect again.", {
    retryable: true,
  });
}

export function reserveWarmSandbox(
  tx: Transaction,
  sandbox: ArgsOf<"reserveWarmSandbox">,
): SandboxRecord | null {
  const { template, deployment, most } = sandbox;
  const row = tx
    .sql<{ count: number }>(
      `SELECT count(*) AS count FROM sandboxes WHERE state IN ('requested', 'creating', 'warm')
        AND deployment = ? AND template = ? AND owner_org IS NULL`,
    )
    .get(deployment, template);
  if ((row?.count ?? 0) >= most) return null;
  insert(tx, sandbox, { owner: null, workspaceId: null, host: sandbox.host });
  return written(tx, sandbox.id);
}

/** How long another server's use protects a sandbox. That server notes its uses at least every two seconds. */
const guestMs = 5_000;

function endInstead(tx: Transaction, { instead, owner }: Reserve): boolean {
  if (instead === undefined) return false;
  const record = findSandbox(tx.sql, instead.id);
  if (record?.orgId !== owner.orgId || record.userId !== owner.userId) return false;
  const move = { ...instead, from: ["claimed", "creating", "active"], to: "destroying" } as const;
  return moveSandbox(tx, { ...move, unlessGuestWithinMs: guestMs }) !== null;
}

function overQuota(
  tx: Transaction,
  { owner, perUser, perOrg }: Reserve,
): { of: "user" | "org"; limit: number } | null {
  const { ofUser, ofOrg } = countHeld(tx.sql, owner);
  if (ofUser >= perUser) return { of: "user", limit: perUser };
  return ofOrg >= perOrg ? { of: "org", limit: perOrg } : null;
}

/** The oldest that is ready. Its life counts from when it is given out. */
function claimWarm(tx: Transaction, reserve: Reserve): SandboxRecord | null {
  const { owner, workspaceId, template, deployment, host } = reserve;
  const row = tx
    .sql<{ id: string }>(
      `UPDATE sandboxes SET state = 'claimed', owner_instance = ?, owner_org = ?, owner_user = ?, session = ?, strategy = ?,
          workspace_id = ?, changed_at = ?, claimed_at = ?, last_used_at = ?, expires_at = ?, idle_ttl = ?
        WHERE state = 'warm' AND id = (SELECT id FROM sandboxes WHERE state = 'warm' AND template = ? AND deployment = ?
          AND host = ? ORDER BY created_at, id LIMIT 1) RETURNING id`,
    )
    .get(
      reserve.ownerInstance,
      owner.orgId,
      owner.userId,
      owner.sessionId,
      owner.strategy,
      workspaceId,
      tx.now,
      tx.now,
      tx.now,
      tx.now + reserve.maxLifeMs,
      reserve.idleTtlMs,
      template,
      deployment,
      host,
    );
  return row === undefined ? null : written(tx, row.id);
}

function insert(
  tx: Transaction,
  sandbox: NewSandbox,
  {
    owner,
    workspaceId,
    host,
  }: { owner: SandboxOwner | null; workspaceId: string | null; host: string | null },
): void {
  tx.sql(`INSERT INTO sandboxes (id, incarnation, deployment, provider, host, template, state, owner_instance, owner_org, owner_user,
      session, strategy, workspace_id, policy, created_at, changed_at, expires_at, idle_ttl)
    VALUES (?, ?, ?, ?, ?, ?, 'requested', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    sandbox.id,
    sandbox.incarnation,
    sandbox.deployment,
    sandbox.provider,
    host,
    sandbox.template,
    sandbox.ownerInstance,
    owner?.orgId ?? null,
    owner?.userId ?? null,
    owner?.sessionId ?? null,
    owner?.strategy ?? null,
    workspaceId,
    JSON.stringify(sandbox.policy),
    tx.now,
    tx.now,
    tx.now + sandbox.maxLifeMs,
    sandbox.idleTtlMs,
  );
}

function written(tx: Transaction, id: string): SandboxRecord {
  const record = findSandbox(tx.sql, id);
  if (record === null) throw new BerthError("internal", `sandbox ${id} was written and cannot be read`);
  return record;
}
