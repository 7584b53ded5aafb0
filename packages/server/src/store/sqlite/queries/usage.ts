import type { SQLInputValue } from "node:sqlite";
import { periodStart } from "../../budgets.ts";
import type { UsageFilter, UsageGroup, UsageRecord } from "../../usage.ts";
import type { Connection } from "../connection.ts";
import { sumOf } from "./sums.ts";

type Sql = Connection["sql"];

interface Row extends Omit<UsageRecord, "usage"> {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly reasoningTokens: number;
}

/** The agent that called is the first of those that are counted. */
const caller = "substr(agents, 1, instr(agents || ' ', ' ') - 1)";
const day = "CAST(at / 86400000 * 86400000 AS TEXT)";

/** Sums of one session's own rows, in the columns of usage_days. */
const ofSession = `SELECT org_id, run_id, at, at AS day, owner, agents, kind, name, 1 AS calls, 1 - ok AS failed, estimated,
  kind <> 'tool' AND cost IS NULL AS unpriced, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
  reasoning_tokens, coalesce(cost, 0) AS cost, duration_ms, session_id FROM usage_ledger`;
const ofDays = "SELECT *, day AS at FROM usage_days";

const keys: Readonly<Record<UsageGroup, string>> = {
  day,
  user: "owner",
  agent: caller,
  model: "name",
  tool: "name",
  session: "session_id",
  run: "run_id",
};

/** In the order of keys, days newest first; one more than the limit when there is one. */
export function sumUsage(sql: Sql, orgId: string, filter: UsageFilter): UsageRecord[] {
  const { groupBy, limit, after } = filter;
  const { source, where, values } = sourceOf(orgId, filter);
  const newestFirst = groupBy === "day";
  const text = `SELECT ${keys[groupBy]} AS key,
      sum(CASE WHEN kind <> 'tool' THEN calls ELSE 0 END) AS modelCalls, sum(CASE WHEN kind = 'tool' THEN calls ELSE 0 END) AS toolCalls,
      sum(failed) AS failed, sum(CASE WHEN kind <> 'tool' THEN estimated ELSE 0 END) AS estimated, sum(unpriced) AS unpriced,
      sum(input_tokens) AS inputTokens, sum(output_tokens) AS outputTokens, sum(cache_read_tokens) AS cacheReadTokens,
      sum(cache_write_tokens) AS cacheWriteTokens, sum(reasoning_tokens) AS reasoningTokens, ${sumOf("cost")} AS cost,
      sum(duration_ms) AS durationMs
    FROM (${source}) WHERE ${where.join(" AND ")}
    GROUP BY key ${after === undefined ? "" : `HAVING key ${newestFirst ? "<" : ">"} ?`}
    ORDER BY key ${newestFirst ? "DESC" : "ASC"} LIMIT ?`;
  const rows = sql<Row>(text).all(...values, ...(after === undefined ? [] : [after]), limit + 1);
  return rows.map(recordOf);
}

function sourceOf(
  orgId: string,
  filter: UsageFilter,
): { source: string; where: readonly string[]; values: readonly SQLInputValue[] } {
  const { groupBy, from, until, owner, agentId, model, tool, sessionId, runId } = filter;
  const where = ["org_id = ?"];
  const values: SQLInputValue[] = [orgId];
  const and = (condition: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  const byRow = sessionId !== undefined;
  and("at >= ?", from === undefined || byRow ? from : periodStart("day", from));
  and("at < ?", until);
  and("owner = ?", owner);
  and(`${caller} = ?`, agentId);
  if (model !== undefined || groupBy === "model") where.push("kind <> 'tool'");
  if (tool !== undefined || groupBy === "tool") where.push("kind = 'tool'");
  and("name = ?", model ?? tool);
  and("run_id = ?", runId);
  if (!byRow) return { source: ofDays, where, values };
  const source = `${ofSession} WHERE org_id = ? AND session_no = (SELECT no FROM sessions WHERE org_id = ? AND id = ?)`;
  return { source, where, values: [orgId, orgId, sessionId, ...values] };
}

function recordOf(row: Row): UsageRecord {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens, ...sums } = row;
  const usage = { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens };
  return { ...sums, usage };
}
