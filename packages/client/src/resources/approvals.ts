import type { Approval, DecideBody, Page } from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";

export interface ApprovalQuery extends PageQuery {
  readonly sessionId?: string;
  readonly status?: Approval["status"];
}

export function createApprovals(http: Http) {
  const path = (id: string) => `/approvals/${encodeURIComponent(id)}`;

  function list({ signal, ...query }: ApprovalQuery = {}): Promise<Page<Approval>> {
    return http.json({ method: "GET", path: "/approvals", query: { ...query }, ...(signal && { signal }) });
  }

  return {
    list,
    all: (query: Omit<ApprovalQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    get(id: string, options: CallOptions = {}): Promise<Approval> {
      return http.json({ method: "GET", path: path(id), ...callOf(options) });
    },
    /** Rejects with code `already_decided` when somebody was faster. */
    decide(id: string, decision: DecideBody, options: ChangeOptions = {}): Promise<Approval> {
      return http.json({ method: "POST", path: path(id), body: decision, ...callOf(options) });
    },
  };
}
