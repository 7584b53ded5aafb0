import type { AuditHead } from "../../../audit.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findAuditHead } from "../../queries/audit.ts";
import type { Transaction } from "../../transaction.ts";

/** All of the entries, or none: another sealer may have been here since they were read. */
export function sealAudit(tx: Transaction, { orgId, head, entries }: ArgsOf<"sealAudit">): boolean {
  const last = entries.at(-1);
  if (last === undefined || !isSame(findAuditHead(tx.sql, orgId), head)) return false;
  for (const { id, number, previous, personMac, detailsMac, mac } of entries) {
    tx.sql(`UPDATE audit_log SET number = ?, previous = ?, person_mac = ?, details_mac = ?, mac = ?
      WHERE org_id = ? AND id = ?`).run(number, previous, personMac, detailsMac, mac, orgId, id);
  }
  tx.sql("INSERT OR REPLACE INTO audit_heads (org_id, number, mac) VALUES (?, ?, ?)").run(
    orgId,
    last.number,
    last.mac,
  );
  return true;
}

function isSame(one: AuditHead | null, other: AuditHead | null): boolean {
  return one?.number === other?.number && one?.mac === other?.mac;
}
