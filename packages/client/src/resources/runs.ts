import type { Page, Recovery, RetryBody, Run, RunStatus, SendReply } from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";

export interface RunQuery extends PageQuery {
  readonly sessionId?: string;
  readonly status?: RunStatus;
}

export function createRuns(http: Http) {
  const path = (id: string, rest = "") => `/runs/${encodeURIComponent(id)}${rest}`;
  return {
    get(id: string, options: CallOptions = {}): Promise<Run> {
      return http.json({ method: "GET", path: path(id), ...callOf(options) });
    },
    list(query: RunQuery = {}): Promise<Page<Run>> {
      const { signal, ...rest } = query;
      return http.json({ method: "GET", path: "/runs", query: rest, ...(signal && { signal }) });
    },
    /** Ends a run, also one that waits in the queue. */
    async cancel(id: string, options: ChangeOptions = {}): Promise<void> {
      await http.json({ method: "POST", path: path(id, "/cancel"), body: {}, ...callOf(options) });
    },
    /** A new run from the last safe point of one that ended. */
    retry(id: string, body: RetryBody = {}, options: ChangeOptions = {}): Promise<SendReply> {
      return http.json({ method: "POST", path: path(id, "/retry"), body, ...callOf(options) });
    },
    /** Does what a failed run offers in `recovery`. The reply is that of the request which it names. */
    recover(recovery: Recovery, options: ChangeOptions = {}): Promise<unknown> {
      const { method, path: target, body } = recovery.request;
      return http.json({ method, path: target, body: body ?? {}, ...callOf(options) });
    },
  };
}
