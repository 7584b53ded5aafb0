import type { Usage } from "@berth/contract";
import type { Rewind, SessionRecord } from "../../records.ts";
import type { Connection } from "../connection.ts";

/** A session's row as the queries below give it; `no` is its number inside the store. */
export interface SessionRow {
  readonly no: number;
  readonly orgId: string;
  readonly id: string;
  readonly agentId: string;
  readonly agentVersion: number;
  readonly agentName: string;
  readonly owner: string;
  readonly key: string | null;
  readonly title: string | null;
  readonly metadata: string;
  readonly model: string | null;
  readonly visibility: SessionRecord["visibility"];
  readonly status: SessionRecord["status"];
  readonly currentRunId: string | null;
  readonly lastSeq: number;
  readonly generation: number;
  readonly forkedFrom: string | null;
  readonly forkedSeq: number | null;
  readonly usage: string;
  readonly holder: string | null;
  readonly epoch: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** JSON pairs of at and toSeq, or null when it was never rewound. */
  readonly rewinds: string | null;
}

export const sessionColumns = `no, org_id AS orgId, id, agent_id AS agentId, agent_version AS agentVersion,
  agent_name AS agentName, owner, key, title, metadata, model, visibility, status, current_run_id AS currentRunId,
  last_seq AS lastSeq, generation, forked_from AS forkedFrom, forked_seq AS forkedSeq, usage, holder, epoch,
  created_at AS createdAt, updated_at AS updatedAt,
  CASE WHEN rewound = 1 THEN (SELECT json_group_array(json_array(r.at, r.to_seq) ORDER BY r.at) FROM rewinds r
    WHERE r.org_id = sessions.org_id AND r.session_no = sessions.no) END AS rewinds`;

export function findSessionRow(sql: Connection["sql"], orgId: string, id: string): SessionRow | undefined {
  return sql<SessionRow>(`SELECT ${sessionColumns} FROM sessions WHERE org_id = ? AND id = ?`).get(orgId, id);
}

export function findSessionRowByKey(
  sql: Connection["sql"],
  { orgId, owner, key }: { orgId: string; owner: string; key: string },
): SessionRow | undefined {
  return sql<SessionRow>(
    `SELECT ${sessionColumns} FROM sessions WHERE org_id = ? AND key = ? AND owner = ?`,
  ).get(orgId, key, owner);
}

function rewindsOf(row: SessionRow): readonly Rewind[] {
  if (row.rewinds === null) return [];
  const pairs = JSON.parse(row.rewinds) as [number, number][];
  return pairs.map(([at, toSeq]) => ({ at, toSeq }));
}

export function sessionRecord(row: SessionRow): SessionRecord {
  return {
    orgId: row.orgId,
    id: row.id,
    agent: { id: row.agentId, version: row.agentVersion, name: row.agentName },
    owner: row.owner,
    key: row.key,
    title: row.title,
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    model: row.model,
    visibility: row.visibility,
    status: row.status,
    currentRunId: row.currentRunId,
    lastSeq: row.lastSeq,
    generation: row.generation,
    forkedFrom: row.forkedFrom === null ? null : { sessionId: row.forkedFrom, seq: row.forkedSeq ?? 0 },
    usage: JSON.parse(row.usage) as Usage,
    rewinds: rewindsOf(row),
    holder: row.holder,
    epoch: row.epoch,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
