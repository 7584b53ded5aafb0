import type { Page, UsageGroup, UsageSum } from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, type PageQuery } from "../pages.ts";
import { callsOf } from "./calls.ts";

export interface UsageQuery extends PageQuery {
  /** Default: day. `session` and `run` need a sessionId. */
  readonly groupBy?: UsageGroup;
  /** A day (2026-11-21) or an instant, UTC; default: 30 days ago. */
  readonly from?: string;
  /** Not included; default: now. */
  readonly until?: string;
  /** Id of the user or service account that owns the sessions. */
  readonly user?: string;
  /** Id or name of the agent that called. */
  readonly agent?: string;
  readonly model?: string;
  readonly tool?: string;
  readonly sessionId?: string;
  readonly runId?: string;
}

/** What was used: of one's own sessions, or of the whole organization with usage:read. */
export function createUsage(http: Http) {
  const calls = callsOf(http);
  const list = (query: UsageQuery = {}): Promise<Page<UsageSum>> => calls.list("/usage", { ...query });
  return {
    list,
    all: (query: Omit<UsageQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
  };
}
