import type { SingleTenant } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";

/** The given ids and names are used when there is no single tenant yet. */
export function singleTenant(tx: Transaction, fresh: SingleTenant): SingleTenant {
  const found = tx
    .sql<SingleTenant>(
      `SELECT o.id AS orgId, o.name AS orgName, a.id AS userId, a.name AS userName
        FROM orgs o JOIN members m ON m.org_id = o.id JOIN accounts a ON a.id = m.user_id
        WHERE o.single = 1 AND a.operator = 1`,
    )
    .get();
  if (found !== undefined) return { ...found };
  tx.sql(
    "INSERT INTO orgs (id, name, slug, single, created_at, updated_at) VALUES (?1, ?2, 'default', 1, ?3, ?3)",
  ).run(fresh.orgId, fresh.orgName, tx.now);
  tx.sql("INSERT INTO accounts (id, name, created_at, updated_at, operator) VALUES (?1, ?2, ?3, ?3, 1)").run(
    fresh.userId,
    fresh.userName,
    tx.now,
  );
  tx.sql(
    "INSERT INTO members (org_id, user_id, role, created_at, updated_at) VALUES (?1, ?2, 'owner', ?3, ?3)",
  ).run(fresh.orgId, fresh.userId, tx.now);
  return fresh;
}
