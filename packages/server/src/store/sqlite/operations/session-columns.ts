import type { Projection } from "../../records.ts";
import type { Transaction } from "../transaction.ts";
import { assignments, type Columns } from "./columns.ts";

/**
 * The columns that a projection changes. The status is left out when it stays, because writing it writes its index too;
 * that is most commits of a run.
 */
export function sessionColumns(
  tx: Transaction,
  session: { readonly no: number; readonly status: string },
  change: NonNullable<Projection["session"]>,
): Columns {
  const columns: Columns = {};
  const { status, agent, title } = change;
  if (status !== undefined && status !== session.status) {
    columns["status"] = status;
    const isArchived = status === "archived";
    if (isArchived !== (session.status === "archived")) columns["archived"] = isArchived ? 1 : 0;
  }
  if (change.currentRunId !== undefined) columns["current_run_id"] = change.currentRunId;
  if (change.usage !== undefined) columns["usage"] = JSON.stringify(change.usage);
  if (change.model !== undefined) columns["model"] = change.model;
  if (change.metadata !== undefined) columns["metadata"] = JSON.stringify(change.metadata);
  if (agent !== undefined) {
    Object.assign(columns, { agent_id: agent.id, agent_version: agent.version, agent_name: agent.name });
  }
  if (title !== undefined) {
    const row = tx.sql<{ key: string | null }>("SELECT key FROM sessions WHERE no = ?").get(session.no);
    Object.assign(columns, { title, search: searchText(title, row?.key ?? null) });
  }
  return columns;
}

/** What the list's search looks in: both fields in lower case, apart. */
export function searchText(title: string | null, key: string | null): string {
  return `${title ?? ""}\n${key ?? ""}`.toLowerCase();
}

export function updateSession(tx: Transaction, no: number, columns: Columns): void {
  if (Object.keys(columns).length === 0) return;
  tx.sql(`UPDATE sessions SET ${assignments(columns)} WHERE no = ?`).run(...Object.values(columns), no);
}
