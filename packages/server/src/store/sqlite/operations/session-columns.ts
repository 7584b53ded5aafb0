import type { Projection } from "../../records.ts";
import type { Transaction } from "../transaction.ts";
import { assignments, type Columns } from "./columns.ts";

/** A session's row before the change, as far as it tells what stays. */
interface Before {
  readonly no: number;
  readonly status: string;
  readonly currentRunId: string | null;
}

/** Writes what a projection changes of its session's row. */
export function changeSession(tx: Transaction, before: Before, { session }: Projection): void {
  if (session === undefined) return;
  const columns = changedColumns(tx, before, session);
  if (Object.keys(columns).length === 0) return;
  tx.sql(`UPDATE sessions SET ${assignments(columns)} WHERE no = ?`).run(
    ...Object.values(columns),
    before.no,
  );
}

/** Status and run are left out when they stay, as in most commits of a run: writing the status writes its index too. */
function changedColumns(
  tx: Transaction,
  before: Before,
  change: NonNullable<Projection["session"]>,
): Columns {
  const columns: Columns = {};
  const { status, currentRunId, agent, title } = change;
  if (status !== undefined && status !== before.status) {
    columns["status"] = status;
    const isArchived = status === "archived";
    if (isArchived !== (before.status === "archived")) columns["archived"] = isArchived ? 1 : 0;
  }
  if (currentRunId !== undefined && currentRunId !== before.currentRunId)
    columns["current_run_id"] = currentRunId;
  if (change.usage !== undefined) columns["usage"] = JSON.stringify(change.usage);
  if (change.model !== undefined) columns["model"] = change.model;
  if (change.metadata !== undefined) columns["metadata"] = JSON.stringify(change.metadata);
  if (agent !== undefined) {
    Object.assign(columns, { agent_id: agent.id, agent_version: agent.version, agent_name: agent.name });
  }
  if (title !== undefined) {
    const row = tx.sql<{ key: string | null }>("SELECT key FROM sessions WHERE no = ?").get(before.no);
    Object.assign(columns, { title, search: searchText(title, row?.key ?? null) });
  }
  return columns;
}

/** What the list's search looks in: both fields in lower case, apart. */
export function searchText(title: string | null, key: string | null): string {
  return `${title ?? ""}\n${key ?? ""}`.toLowerCase();
}
