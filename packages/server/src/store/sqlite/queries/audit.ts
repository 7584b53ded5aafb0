import type { SQLInputValue } from "node:sqlite";
import type { AuditChain, AuditCut, AuditDraft, AuditFilter, AuditHead, AuditRecord } from "../../audit.ts";
import type { Connection } from "../connection.ts";

type Sql = Connection["sql"];

interface AuditRow {
  readonly orgId: string;
  readonly id: string;
  readonly at: number;
  readonly actorType: AuditDraft["actor"]["type"];
  readonly actorId: string;
  readonly actorName: string;
  readonly credential: string | null;
  readonly action: string;
  readonly targetType: string | null;
  readonly targetId: string | null;
  readonly outcome: AuditDraft["outcome"];
  readonly requestId: string | null;
  readonly address: string | null;
  readonly details: string;
  readonly erased: number;
  readonly number: number | null;
  readonly previous: string | null;
  readonly personMac: string | null;
  readonly detailsMac: string | null;
  readonly mac: string | null;
}

const select = `SELECT org_id AS orgId, id, at, actor_type AS actorType, actor_id AS actorId, actor_name AS actorName, credential,
  action, target_type AS targetType, target_id AS targetId, outcome, request_id AS requestId, address, details, erased,
  number, previous, person_mac AS personMac, details_mac AS detailsMac, mac FROM audit_log`;

function auditRecord(row: AuditRow): AuditRecord {
  const { targetType, targetId, number, previous, personMac, detailsMac, mac } = row;
  return {
    orgId: row.orgId,
    id: row.id,
    at: row.at,
    actor: { type: row.actorType, id: row.actorId, name: row.actorName },
    credential: row.credential,
    action: row.action,
    target: targetType === null && targetId === null ? null : { type: targetType ?? "", id: targetId ?? "" },
    outcome: row.outcome,
    requestId: row.requestId,
    address: row.address,
    details: readDetails(row.details),
    erased: row.erased === 1,
    seal:
      number === null
        ? null
        : {
            number,
            previous: previous ?? "",
            personMac: personMac ?? "",
            detailsMac: detailsMac ?? "",
            mac: mac ?? "",
          },
  };
}

/** Somebody may have changed a row by hand: that is told by its MAC, and hinders nobody from reading the others. */
function readDetails(text: string): AuditDraft["details"] {
  try {
    return JSON.parse(text) as AuditDraft["details"];
  } catch {
    return { unreadable: text };
  }
}

/** In the order of commits, which is that of times and of numbers; one more than the limit when there is one. */
export function listAuditRecords(sql: Sql, orgId: string, filter: AuditFilter): AuditRecord[] {
  const { after, actor, action, target, outcome, from, to, oldestFirst = false } = filter;
  const [compare, direction] = oldestFirst ? [">", "ASC"] : ["<", "DESC"];
  const where = ["org_id = ?"];
  const values: SQLInputValue[] = [orgId];
  const and = (condition: string, ...bound: SQLInputValue[]) => {
    where.push(condition);
    values.push(...bound);
  };
  if (after !== undefined) {
    and(`(at, no) ${compare} (SELECT at, no FROM audit_log WHERE org_id = ? AND id = ?)`, orgId, after);
  }
  if (actor !== undefined) and("actor_id = ?", actor);
  if (target !== undefined) and("target_id = ?", target);
  if (outcome !== undefined) and("outcome = ?", outcome);
  if (from !== undefined) and("at >= ?", from);
  if (to !== undefined) and("at < ?", to);
  if (action?.endsWith(".")) and("substr(action, 1, ?) = ?", action.length, action);
  else if (action !== undefined) and("action = ?", action);
  return sql<AuditRow>(
    `${select} ${indexFor(filter)} WHERE ${where.join(" AND ")} ORDER BY at ${direction}, no ${direction} LIMIT ?`,
  )
    .all(...values, filter.limit + 1)
    .map(auditRecord);
}

/** Without statistics SQLite may take an index that leaves it to sort the whole log. */
function indexFor({ actor, target }: AuditFilter): string {
  if (target !== undefined) return "INDEXED BY audit_log_by_target";
  return actor !== undefined ? "INDEXED BY audit_log_by_actor" : "INDEXED BY audit_log_by_time";
}

export function findAuditHead(sql: Sql, orgId: string): AuditHead | null {
  return sql<AuditHead>("SELECT number, mac FROM audit_heads WHERE org_id = ?").get(orgId) ?? null;
}

export function readAuditChain(sql: Sql, orgId: string): AuditChain {
  const cut = sql<AuditCut>("SELECT number, mac, at, seal FROM audit_cuts WHERE org_id = ?").get(orgId);
  const unsealed = sql<AuditChain["unsealed"]>(
    "SELECT count(*) AS count, min(at) AS oldestAt FROM audit_log WHERE org_id = ? AND number IS NULL",
  ).get(orgId);
  return {
    head: findAuditHead(sql, orgId),
    cut: cut ?? null,
    unsealed: unsealed ?? { count: 0, oldestAt: null },
  };
}

export function sealedAuditRecords(
  sql: Sql,
  orgId: string,
  { number, limit }: { number: number; limit: number },
): AuditRecord[] {
  return sql<AuditRow>(
    `${select} WHERE org_id = ? AND number IS NOT NULL AND number > ? ORDER BY number LIMIT ?`,
  )
    .all(orgId, number, limit)
    .map(auditRecord);
}

export function unsealedAuditRecords(sql: Sql, orgId: string, limit: number): AuditRecord[] {
  return sql<AuditRow>(`${select} WHERE org_id = ? AND number IS NULL ORDER BY no LIMIT ?`)
    .all(orgId, limit)
    .map(auditRecord);
}

export function unsealedAuditOrgs(sql: Sql, limit: number): string[] {
  return sql<{ orgId: string }>("SELECT DISTINCT org_id AS orgId FROM audit_log WHERE number IS NULL LIMIT ?")
    .all(limit)
    .map(({ orgId }) => orgId);
}

/** Every organization that has a log; the slug is null when the organization is gone. */
export function auditedOrgs(sql: Sql): { orgId: string; slug: string | null }[] {
  return sql<{ orgId: string; slug: string | null }>(
    `SELECT l.org_id AS orgId, o.slug FROM
      (SELECT org_id FROM audit_heads UNION SELECT org_id FROM audit_cuts UNION SELECT org_id FROM audit_log) l
      LEFT JOIN orgs o ON o.id = l.org_id`,
  ).all();
}
