import type { AuditEntry, AuditVerdict, Page } from "@berth/contract";
import type { Http } from "../http.ts";
import { readLines } from "../lines.ts";
import { allPages, callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import { callsOf } from "./calls.ts";

/** Which entries. Times are RFC 3339. */
export interface AuditQuery {
  /** Id of a user or service account. */
  readonly actor?: string;
  /** A whole action, or `agent.` for all of agents. */
  readonly action?: string;
  /** Id of what was changed. */
  readonly target?: string;
  readonly outcome?: AuditEntry["outcome"];
  readonly from?: string;
  readonly to?: string;
}

/** Who changed what, and who was refused. */
export function createAudit(http: Http) {
  const calls = callsOf(http);
  const list = (query: AuditQuery & PageQuery = {}): Promise<Page<AuditEntry>> =>
    calls.list("/audit-log", { ...query });

  return {
    /** Newest first. */
    list,
    all: (query: AuditQuery & Omit<PageQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    /** Entries as JSON, one a line, oldest first. */
    export: (query: AuditQuery = {}, options: CallOptions = {}): AsyncGenerator<string> =>
      readLines(http, { method: "GET", path: "/audit-log/export", query: { ...query }, ...callOf(options) }),
    /** Whether the log is what was sealed. */
    verify: (options: ChangeOptions = {}): Promise<AuditVerdict> =>
      calls.post("/audit-log/verify", {}, options),
  };
}
