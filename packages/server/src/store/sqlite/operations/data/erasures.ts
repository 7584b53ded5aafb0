import { hashJson } from "../../../../lib/canonical-json.ts";
import { BerthError } from "../../../../lib/errors.ts";
import type { ErasureRecord } from "../../../data.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findErasureRecord } from "../../queries/data/erasures.ts";
import type { Transaction } from "../../transaction.ts";
import { revokeKeysOf } from "../identity/api-keys.ts";
import { endGivenAccess } from "../identity/given-access.ts";
import { keepAnOwner } from "../identity/last-owner.ts";
import { once } from "../idempotency.ts";

export function createErasure(tx: Transaction, args: ArgsOf<"createErasure">): Outcome<ErasureRecord> {
  const { orgId, record } = args;
  return once(tx, args, () => {
    const { id, scope, target, requestedBy, toldTo } = record;
    const running = tx
      .sql("SELECT 1 FROM erasures WHERE org_id = ? AND target = ? AND status = 'running'")
      .get(orgId, target);
    if (running !== undefined)
      throw new BerthError("erasure_running", `${target} is being erased already: look at /erasures.`);
    if (scope === "org") lockOrg(tx, orgId);
    else lockUser(tx, orgId, target);
    tx.sql(`INSERT INTO erasures (org_id, id, scope, target, requested_by, told_to, status, created_at)
      VALUES (?, ?, ?, ?, ?, ?, 'running', ?)`).run(orgId, id, scope, target, requestedBy, toldTo, tx.now);
    return existing(tx, orgId, id);
  });
}

function lockOrg(tx: Transaction, orgId: string): void {
  const home = tx.sql("SELECT 1 FROM orgs WHERE id = ? AND single = 1").get(orgId);
  if (home !== undefined) {
    throw new BerthError(
      "home_org",
      "This organization belongs to the server itself and cannot be erased: erase its users, or remove the data folder.",
    );
  }
  tx.sql("UPDATE orgs SET status = 'erasing', updated_at = ? WHERE id = ?").run(tx.now, orgId);
}

function lockUser(tx: Transaction, orgId: string, userId: string): void {
  const operator = tx.sql("SELECT 1 FROM accounts WHERE id = ? AND operator = 1").get(userId);
  if (operator !== undefined)
    throw new BerthError("operator_account", "The admin key stands for this account: it cannot be erased.");
  keepAnOwner(tx, orgId, userId);
  revokeKeysOf(tx, orgId, userId);
  endGivenAccess(tx, orgId, userId);
  tx.sql("UPDATE members SET status = 'suspended', updated_at = ? WHERE org_id = ? AND user_id = ?").run(
    tx.now,
    orgId,
    userId,
  );
  tx.sql("UPDATE service_accounts SET status = 'disabled', updated_at = ? WHERE org_id = ? AND id = ?").run(
    tx.now,
    orgId,
    userId,
  );
  tx.sql("DELETE FROM logins WHERE user_id = ? AND current_org = ?").run(userId, orgId);
}

export function noteErasure(tx: Transaction, note: ArgsOf<"noteErasure">): void {
  const { orgId, id, counts = {}, error } = note;
  const record = existing(tx, orgId, id);
  const sums: Record<string, number> = { ...record.counts };
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  tx.sql("UPDATE erasures SET counts = ?, error = ? WHERE org_id = ? AND id = ?").run(
    JSON.stringify(sums),
    error === undefined ? record.error : error,
    orgId,
    id,
  );
}

/** The receipt: what it says is hashed as the API shows it, so that a copy of it can be told from a changed one. */
export function endErasure(tx: Transaction, { erased }: ArgsOf<"endErasure">): ErasureRecord {
  const { orgId, id } = erased;
  const { scope, target, requestedBy, counts, createdAt } = existing(tx, orgId, id);
  const [begun, finishedAt] = [new Date(createdAt).toISOString(), new Date(tx.now).toISOString()];
  const receipt = { id, orgId, scope, target, requestedBy, counts, createdAt: begun, finishedAt };
  tx.sql(`UPDATE erasures SET status = 'done', error = NULL, finished_at = ?, hash = ?
    WHERE org_id = ? AND id = ?`).run(tx.now, hashJson(receipt), orgId, id);
  return existing(tx, orgId, id);
}

export function existing(tx: Transaction, orgId: string, id: string): ErasureRecord {
  const record = findErasureRecord(tx.sql, id, orgId);
  if (record === null) throw new BerthError("erasure_not_found", `There is no erasure ${id}.`);
  return record;
}
