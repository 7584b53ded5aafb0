import { BerthError } from "../../../../lib/errors.ts";
import type { ExportRow } from "../../../data.ts";
import type { Connection } from "../../connection.ts";
import { type TenantTable, tenantTable, tenantTableNames } from "../../tenant-tables.ts";

type Sql = Connection["sql"];

interface Part {
  /** A table, or a query with org_id in place of one. */
  readonly from: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  readonly ofUser: string | null;
  readonly conversation: boolean;
}

/** What is no tenant table and still an organization's: itself, and who its members are. */
const besides: Readonly<Record<string, Part>> = {
  organization: {
    from: "(SELECT id AS org_id, id, slug, name, status, settings, created_at, updated_at FROM orgs)",
    key: ["id"],
    columns: ["id", "slug", "name", "status", "settings", "created_at", "updated_at"],
    ofUser: null,
    conversation: false,
  },
  accounts: {
    from: `(SELECT m.org_id, a.id, a.name, a.email, a.email_verified, a.status, a.created_at
      FROM members m JOIN accounts a ON a.id = m.user_id)`,
    key: ["id"],
    columns: ["id", "name", "email", "email_verified", "status", "created_at"],
    ofUser: "id = ?2",
    conversation: false,
  },
  // Of who belongs elsewhere too it is not known by which of them they come from where.
  identities: {
    from: `(SELECT m.org_id, i.user_id, i.source, i.issuer, i.subject, i.created_at
      FROM members m JOIN identities i ON i.user_id = m.user_id
      WHERE NOT EXISTS (SELECT 1 FROM members o WHERE o.user_id = m.user_id AND o.org_id <> m.org_id))`,
    key: ["source", "issuer", "subject"],
    columns: ["user_id", "source", "issuer", "subject", "created_at"],
    ofUser: "user_id = ?2",
    conversation: false,
  },
};

const parts: Readonly<Record<string, Part>> = {
  ...besides,
  ...Object.fromEntries(
    tenantTableNames
      .map((name): readonly [string, TenantTable] => [name, tenantTable(name)])
      .filter(([, { exported }]) => exported.length > 0)
      .map(([from, { key, exported: columns, ofUser, conversation = false }]) => [
        from,
        { from, key, columns, ofUser, conversation },
      ]),
  ),
};

/** The names of what an export holds, in order. */
export function exportPartNames(what: {
  readonly scope: "org" | "user";
  readonly conversations: boolean;
}): readonly string[] {
  return Object.entries(parts)
    .filter(([, { conversation }]) => what.conversations || !conversation)
    .filter(([, { ofUser }]) => what.scope === "org" || ofUser !== null)
    .map(([name]) => name);
}

export function readExportRows(
  sql: Sql,
  range: { orgId: string; part: string; userId: string | null; after: string | null; limit: number },
): { rows: readonly ExportRow[]; next: string | null } {
  const { orgId, userId, after, limit } = range;
  const part = parts[range.part];
  if (part === undefined || (userId !== null && part.ofUser === null))
    throw new BerthError("internal", `an export has no part ${range.part}`);
  const cursor = after === null ? [] : (JSON.parse(after) as (string | number)[]);
  const places = cursor.map((_, index) => `?${index + 3}`).join(", ");
  const conditions = [
    "org_id = ?1",
    ...(userId === null ? [] : [part.ofUser ?? ""]),
    ...(cursor.length === 0 ? [] : [`(${part.key.join(", ")}) > (${places})`]),
  ];
  const keys = part.key.map((column, index) => `${column} AS "key ${index}"`);
  const rows = sql<Record<string, string | number | null>>(
    `SELECT ${[...part.columns, ...keys].join(", ")} FROM ${part.from}
      WHERE ${conditions.join(" AND ")} ORDER BY ${part.key.join(", ")} LIMIT ?${cursor.length + 3}`,
  ).all(orgId, userId, ...cursor, limit);
  const last = rows.at(-1);
  const next =
    last === undefined || rows.length < limit
      ? null
      : JSON.stringify(part.key.map((_, index) => last[`key ${index}`] ?? null));
  return { rows: rows.map((row) => pick(row, part.columns)), next };
}

function pick(row: Record<string, string | number | null>, columns: readonly string[]): ExportRow {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}
