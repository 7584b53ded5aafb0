import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";

/** Rows that change by themselves: seals come later, uses are noted later. */
const restless: readonly string[] = ["audit_log", "audit_heads", "idempotency"];
const restlessColumns: readonly string[] = ["last_used_at", "uses", "holder", "epoch", "claims"];

/** Every row that belongs to an organization, by table, as text. */
export function rowsOfOrg(dataDir: string, orgId: string): Readonly<Record<string, readonly string[]>> {
  const database = new DatabaseSync(join(dataDir, "berth.db"), { readOnly: true });
  try {
    const tables = database
      .prepare(
        `SELECT t.name FROM sqlite_schema t WHERE t.type = 'table'
          AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) c WHERE c.name = 'org_id') ORDER BY t.name`,
      )
      .all()
      .map(({ name }) => String(name))
      .filter((name) => !restless.includes(name));
    const rows = (table: string) =>
      database
        .prepare(`SELECT * FROM ${table} WHERE org_id = ?`)
        .all(orgId)
        .map((row) =>
          JSON.stringify(Object.entries(row).filter(([column]) => !restlessColumns.includes(column))),
        )
        .toSorted();
    return Object.fromEntries(tables.map((table) => [table, rows(table)]));
  } finally {
    database.close();
  }
}
