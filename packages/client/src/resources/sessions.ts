import type {
  AcceptedInput,
  CreateSessionBody,
  CreateSessionReply,
  CreateShareLinkBody,
  CreateShareLinkReply,
  Page,
  Session,
  SessionStatus,
  ShareLink,
  UpdateSessionBody,
} from "@berth/contract";
import type { Http } from "../http.ts";
import { readLines } from "../lines.ts";
import { allPages, callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";

export interface SessionQuery extends PageQuery {
  readonly owner?: string;
  /** Name or id of an agent. */
  readonly agent?: string;
  readonly key?: string;
  readonly status?: SessionStatus;
  readonly archived?: boolean;
  /** Part of a title or key. */
  readonly search?: string;
}

/** The session as it stands after a change, or, when that did not happen within 5 s, the input that will make it. */
export type Changed = Session | { readonly input: AcceptedInput };

export function sessionPath(id: string, rest = ""): string {
  return `/sessions/${encodeURIComponent(id)}${rest}`;
}

export function createSessions(http: Http) {
  function list({ signal, ...query }: SessionQuery = {}): Promise<Page<Session>> {
    return http.json({ method: "GET", path: "/sessions", query: { ...query }, ...(signal && { signal }) });
  }
  function post<T>(id: string, verb: string, body: unknown, options: ChangeOptions): Promise<T> {
    return http.json({ method: "POST", path: sessionPath(id, `/${verb}`), body, ...callOf(options) });
  }

  return {
    /** With a `key` that exists: that session, else a new one. */
    create(body: CreateSessionBody, options: ChangeOptions = {}): Promise<CreateSessionReply> {
      return http.json({ method: "POST", path: "/sessions", body, ...callOf(options) });
    },
    list,
    all: (query: Omit<SessionQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    get(id: string, options: CallOptions = {}): Promise<Session> {
      return http.json({ method: "GET", path: sessionPath(id), ...callOf(options) });
    },
    update(id: string, body: UpdateSessionBody, options: ChangeOptions = {}): Promise<Changed> {
      return http.json({ method: "PATCH", path: sessionPath(id), body, ...callOf(options) });
    },
    async delete(id: string, options: CallOptions = {}): Promise<void> {
      await http.json({ method: "DELETE", path: sessionPath(id), ...callOf(options) });
    },
    /** A new session with this one's log and workspace up to `seq` (default: its end). */
    fork(
      id: string,
      body: { seq?: number; title?: string } = {},
      options: ChangeOptions = {},
    ): Promise<Session> {
      return post(id, "fork", body, options);
    },
    /** Undoes everything after `toSeq`, a place between two steps. */
    rewind(id: string, toSeq: number, options: ChangeOptions = {}): Promise<Changed> {
      return post(id, "rewind", { toSeq }, options);
    },
    /** Ends the run that goes on. */
    async cancel(id: string, options: ChangeOptions = {}): Promise<void> {
      await post(id, "cancel", {}, options);
    },
    /** Lets a quarantined session be claimed again. */
    async release(id: string, options: ChangeOptions = {}): Promise<void> {
      await post(id, "release", {}, options);
    },
    /** Links with which anybody reads the session. The token comes back from `create` alone. */
    shareLinks: {
      create(
        id: string,
        body: CreateShareLinkBody = {},
        options: ChangeOptions = {},
      ): Promise<CreateShareLinkReply> {
        return post(id, "share-links", body, options);
      },
      list(id: string, { signal, ...query }: PageQuery = {}): Promise<Page<ShareLink>> {
        const path = sessionPath(id, "/share-links");
        return http.json({ method: "GET", path, query: { ...query }, ...(signal && { signal }) });
      },
      async revoke(id: string, linkId: string, options: CallOptions = {}): Promise<void> {
        const path = sessionPath(id, `/share-links/${encodeURIComponent(linkId)}`);
        await http.json({ method: "DELETE", path, ...callOf(options) });
      },
    },
    /** The whole log, one JSON event a line. */
    async *export(id: string, options: CallOptions = {}): AsyncGenerator<string> {
      const request = { method: "GET", path: sessionPath(id, "/export"), ...callOf(options) } as const;
      yield* readLines(http, request);
    },
  };
}
