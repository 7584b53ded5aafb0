import type { ArgsOf } from "../../protocol.ts";
import { noLimit } from "../../queries/quotas.ts";
import type { Transaction } from "../../transaction.ts";

export function setQuotas(tx: Transaction, { orgId, quotas }: ArgsOf<"setQuotas">): void {
  tx.sql("DELETE FROM quotas WHERE org_id = ?").run(orgId);
  for (const [name, value] of Object.entries(quotas)) {
    tx.sql("INSERT INTO quotas (org_id, name, value, updated_at) VALUES (?, ?, ?, ?)").run(
      orgId,
      name,
      value ?? noLimit,
      tx.now,
    );
  }
}

export function setQuotaDefaults(tx: Transaction, defaults: ArgsOf<"setQuotaDefaults">): void {
  tx.sql("DELETE FROM quota_defaults").run();
  for (const [name, value] of Object.entries(defaults)) {
    tx.sql("INSERT INTO quota_defaults (name, value) VALUES (?, ?)").run(name, value ?? noLimit);
  }
}
