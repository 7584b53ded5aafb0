import { join } from "node:path";
import { systemClock } from "../../../packages/server/src/lib/clock.ts";
import { newId } from "../../../packages/server/src/lib/id.ts";
import type { StoredEvent } from "../../../packages/server/src/store/records.ts";
import { AppendHints } from "../../../packages/server/src/store/sqlite/append-hints.ts";
import { BudgetOrgs } from "../../../packages/server/src/store/sqlite/budget-orgs.ts";
import { openForWriting } from "../../../packages/server/src/store/sqlite/connection.ts";
import { eventBlock } from "../../../packages/server/src/store/sqlite/event-block.ts";
import { createSession } from "../../../packages/server/src/store/sqlite/operations/create-session.ts";
import {
  findSessionRow,
  sessionRecord,
} from "../../../packages/server/src/store/sqlite/queries/session-row.ts";
import { timeOf } from "../../../packages/server/src/store/sqlite/transaction.ts";

/** Sessions of one transaction. */
const atOnce = 10_000;

/**
 * Fills a data folder that no server has open with copies of one of its sessions, by the store's own operation, many in a transaction
 * and without waiting for the disk. Returns ids that are spread over all of them.
 */
export function fill({
  data,
  like,
  count,
  ids,
}: {
  readonly data: string;
  /** A session that was made over HTTP: its row and events are copied. */
  readonly like: string;
  readonly count: number;
  /** How many ids are wanted. */
  readonly ids: number;
}): readonly string[] {
  const connection = openForWriting(join(data, "berth.db"));
  try {
    connection.db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -524288");
    const sql = connection.sql.bind(connection);
    const org = sql<{ orgId: string }>("SELECT org_id AS orgId FROM sessions WHERE id = ?").get(like);
    const found = org === undefined ? undefined : findSessionRow(sql, org.orgId, like);
    if (found === undefined) throw new Error(`there is no session ${like}`);
    const { visibility, title, ...record } = sessionRecord(found);
    const events = sql<{ types: string; body: string }>(
      "SELECT types, body FROM log_blocks WHERE log_no = ? ORDER BY first_seq",
    )
      .all(found.no)
      .flatMap(({ types, body }) => {
        const lines = body.split("\n");
        return types.split(",").map((type, i) => ({ type, json: lines[i] ?? "" }));
      });
    const hints = new AppendHints();
    const budgets = new BudgetOrgs();
    const every = Math.max(1, Math.floor(count / ids));
    const kept: string[] = [];
    for (let made = 0; made < count;) {
      sql("BEGIN IMMEDIATE").run();
      const tx = { sql, ...timeOf(systemClock), hints, budgets };
      for (const end = Math.min(count, made + atOnce); made < end; made++) {
        const id = newId("session");
        const own: StoredEvent[] = events.map(({ type, json }, i) => ({
          seq: i + 1,
          type,
          json: json.replaceAll(like, id),
        }));
        const row = { ...record, id, title: `${title ?? "A session"} ${made}`, visibility };
        createSession(tx, { orgId: row.orgId, row, block: eventBlock(own, 1) });
        if (made % every === 0 && kept.length < ids) kept.push(id);
      }
      sql("COMMIT").run();
    }
    return kept;
  } finally {
    connection.close();
  }
}
