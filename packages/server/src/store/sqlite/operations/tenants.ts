import type { SingleTenant } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";

/** The given ids and names are used when there is no single tenant yet. */
export function singleTenant(tx: Transaction, fresh: SingleTenant): SingleTenant {
  const found = tx
    .sql<SingleTenant>(
      `SELECT o.id AS orgId, o.name AS orgName, u.id AS userId, u.name AS userName
        FROM orgs o JOIN users u ON u.org_id = o.id WHERE o.single = 1 ORDER BY u.id LIMIT 1`,
    )
    .get();
  if (found !== undefined) return { ...found };
  tx.sql("INSERT INTO orgs (id, name, single, created_at) VALUES (?, ?, 1, ?)").run(
    fresh.orgId,
    fresh.orgName,
    tx.now,
  );
  tx.sql("INSERT INTO users (org_id, id, name, created_at) VALUES (?, ?, ?, ?)").run(
    fresh.orgId,
    fresh.userId,
    fresh.userName,
    tx.now,
  );
  return fresh;
}
