import type { ModelProviderRecord, ProviderDefinition } from "../../../model-providers.ts";
import type { Connection } from "../../connection.ts";

interface Row {
  readonly orgId: string;
  readonly definition: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const columns = "org_id AS orgId, definition, created_at AS createdAt, updated_at AS updatedAt";

function recordOf({ definition, ...row }: Row): ModelProviderRecord {
  return { ...row, ...(JSON.parse(definition) as ProviderDefinition) };
}

export function listModelProviderRecords(sql: Connection["sql"], orgId: string): ModelProviderRecord[] {
  return sql<Row>(`SELECT ${columns} FROM model_providers WHERE org_id = ? ORDER BY name`)
    .all(orgId)
    .map(recordOf);
}

export function findModelProviderRecord(
  sql: Connection["sql"],
  orgId: string,
  name: string,
): ModelProviderRecord | null {
  const row = sql<Row>(`SELECT ${columns} FROM model_providers WHERE org_id = ? AND name = ?`).get(
    orgId,
    name,
  );
  return row === undefined ? null : recordOf(row);
}

export function providerVersionOf(sql: Connection["sql"], orgId: string): number {
  const row = sql<{ version: number }>("SELECT version FROM provider_versions WHERE org_id = ?").get(orgId);
  return row?.version ?? 0;
}
