import type { ArgsOf } from "../../protocol.ts";
import type { Transaction } from "../../transaction.ts";

/** Invitations that nobody took are kept this long to be looked at. */
const closedKeptMs = 30 * 86_400_000;

export function createLogin(tx: Transaction, login: ArgsOf<"createLogin">): void {
  tx.sql(
    `INSERT INTO logins (id, token_hash, csrf_hash, user_id, current_org, method, address, agent, created_at, last_seen_at,
      expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    login.id,
    login.tokenHash,
    login.csrfHash,
    login.userId,
    login.orgId,
    login.method,
    login.address,
    login.agent,
    login.createdAt,
    login.lastSeenAt,
    login.expiresAt,
  );
  tx.sql("UPDATE accounts SET last_login_at = ? WHERE id = ?").run(login.createdAt, login.userId);
  tx.sql("UPDATE members SET last_login_at = ? WHERE org_id = ? AND user_id = ?").run(
    login.createdAt,
    login.orgId,
    login.userId,
  );
}

export function touchLogin(tx: Transaction, { id, at, expiresAt, orgId }: ArgsOf<"touchLogin">): void {
  tx.sql(
    "UPDATE logins SET last_seen_at = ?, expires_at = ?, current_org = coalesce(?, current_org) WHERE id = ?",
  ).run(at, expiresAt, orgId ?? null, id);
  if (orgId === undefined) return;
  tx.sql(
    "UPDATE members SET last_login_at = ? WHERE org_id = ? AND user_id = (SELECT user_id FROM logins WHERE id = ?)",
  ).run(at, orgId, id);
}

export function endLogins(tx: Transaction, { which }: ArgsOf<"endLogins">): number | false {
  const userId = "userId" in which ? which.userId : null;
  const except = "except" in which ? (which.except ?? null) : null;
  const { changes } = tx
    .sql("DELETE FROM logins WHERE (?1 IS NULL OR user_id = ?1) AND (?2 IS NULL OR id = ?2) AND id IS NOT ?3")
    .run(userId, which.id ?? null, except);
  return Number(changes) === 0 ? false : Number(changes);
}

/** At most `limit` rows of each kind. Returns how many went. */
export function pruneIdentity(tx: Transaction, { limit }: ArgsOf<"pruneIdentity">): number {
  const logins = tx
    .sql("DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE expires_at <= ? LIMIT ?)")
    .run(tx.now, limit);
  const invitations = tx
    .sql(
      `DELETE FROM invitations WHERE (org_id, id) IN
        (SELECT org_id, id FROM invitations WHERE expires_at <= ? LIMIT ?)`,
    )
    .run(tx.now - closedKeptMs, limit);
  return Number(logins.changes) + Number(invitations.changes);
}
