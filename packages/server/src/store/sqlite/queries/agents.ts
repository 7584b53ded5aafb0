import type { AgentDefinition } from "@berth/contract";
import type { AgentRecord } from "../../records.ts";
import type { Connection } from "../connection.ts";

interface AgentRow {
  readonly orgId: string;
  readonly id: string;
  readonly version: number;
  readonly definition: string;
  readonly archived: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const newest = `SELECT a.org_id AS orgId, a.id, a.version, v.definition, a.archived, a.created_at AS createdAt,
    a.updated_at AS updatedAt
  FROM agents a JOIN agent_versions v ON v.org_id = a.org_id AND v.agent_id = a.id AND v.version = a.version`;

/** Of one version both times are when it was written. */
const versions = `SELECT a.org_id AS orgId, a.id, v.version, v.definition, a.archived, v.created_at AS createdAt,
    v.created_at AS updatedAt
  FROM agent_versions v JOIN agents a ON a.org_id = v.org_id AND a.id = v.agent_id`;

/** What definitions have that were written before there was such a field. Written out: a schema takes 4 MB of the writer thread. */
const later: Pick<AgentDefinition, "sandbox"> = { sandbox: { egress: [], secrets: [] } };

function agentRecord(row: AgentRow): AgentRecord {
  return {
    ...row,
    definition: { ...later, ...(JSON.parse(row.definition) as AgentDefinition) },
    archived: row.archived === 1,
  };
}

export function findAgentRecord(
  sql: Connection["sql"],
  { orgId, id, version }: { orgId: string; id: string; version?: number | undefined },
): AgentRecord | null {
  const row =
    version === undefined
      ? sql<AgentRow>(`${newest} WHERE a.org_id = ? AND a.id = ?`).get(orgId, id)
      : sql<AgentRow>(`${versions} WHERE v.org_id = ? AND v.agent_id = ? AND v.version = ?`).get(
          orgId,
          id,
          version,
        );
  return row === undefined ? null : agentRecord(row);
}

/** An id has an underscore and a name never has one, so the two cannot be confused. */
export function findAgentId(sql: Connection["sql"], orgId: string, idOrName: string): string | null {
  const row = sql<{ id: string }>(
    "SELECT id FROM agents WHERE org_id = ?1 AND id = ?2 UNION ALL SELECT id FROM agents WHERE org_id = ?1 AND name = ?2",
  ).get(orgId, idOrName);
  return row?.id ?? null;
}

export function listAgentRecords(
  sql: Connection["sql"],
  {
    orgId,
    after,
    archived,
    limit,
  }: { orgId: string; after: string | undefined; archived: boolean; limit: number },
): AgentRecord[] {
  const before = after === undefined ? "" : "AND a.id < ?4";
  return sql<AgentRow>(
    `${newest} WHERE a.org_id = ?1 AND a.archived = ?2 ${before} ORDER BY a.id DESC LIMIT ?3`,
  )
    .all(orgId, archived ? 1 : 0, limit, ...(after === undefined ? [] : [after]))
    .map(agentRecord);
}

export function listVersionRecords(
  sql: Connection["sql"],
  { orgId, id, before, limit }: { orgId: string; id: string; before: number; limit: number },
): AgentRecord[] {
  return sql<AgentRow>(
    `${versions} WHERE v.org_id = ? AND v.agent_id = ? AND v.version < ? ORDER BY v.version DESC LIMIT ?`,
  )
    .all(orgId, id, before, limit)
    .map(agentRecord);
}
