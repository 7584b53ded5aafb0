import type {
  LiveSession,
  Me,
  ModelList,
  Page,
  RuntimeHealth,
  RuntimeStats,
  System,
  Ticket,
  ToolInfo,
} from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";

export function createSystem(http: Http) {
  const get =
    <T>(path: string) =>
    (options: CallOptions & { readonly retries?: number } = {}): Promise<T> =>
      http.json({
        method: "GET",
        path,
        ...callOf(options),
        ...(options.retries !== undefined && { retries: options.retries }),
      });
  return {
    me: get<Me>("/me"),
    system: get<System>("/system"),
    tools: { list: get<Page<ToolInfo>>("/tools") },
    models: { list: get<ModelList>("/models") },
    /** A one-use ticket for a WebSocket, good for 30 s. */
    ticket: (options: ChangeOptions = {}): Promise<Ticket> =>
      http.json({ method: "POST", path: "/tickets", body: {}, ...callOf(options) }),
    runtime: {
      stats: get<RuntimeStats>("/runtime/stats"),
      health: get<RuntimeHealth>("/runtime/health"),
      sessions: get<Page<LiveSession>>("/runtime/sessions"),
      /** Takes idle sessions out of memory; they lose nothing. */
      cleanup: (options: ChangeOptions = {}): Promise<{ evicted: number }> =>
        http.json({ method: "POST", path: "/runtime/cleanup", body: {}, ...callOf(options) }),
      /** Takes an idle session out of memory; it loses nothing. */
      async evict(sessionId: string, options: CallOptions = {}): Promise<void> {
        const path = `/runtime/sessions/${encodeURIComponent(sessionId)}`;
        await http.json({ method: "DELETE", path, ...callOf(options) });
      },
    },
  };
}
