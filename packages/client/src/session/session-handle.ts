import {
  type Channel,
  formatCursor,
  type Page,
  type SendableInputBody,
  type SendReply,
  type Session,
  type SessionEvent,
  type Todo,
} from "@berth/contract";
import type { FollowedEvent } from "../event-frame.ts";
import { callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import { createApprovals } from "../resources/approvals.ts";
import { createFiles, type Files } from "../resources/files.ts";
import { sessionPath } from "../resources/sessions.ts";
import { type Connector, type EventsOptions, sessionEvents } from "./event-source.ts";
import { followRun, type RunSource } from "./follow-run.ts";
import type { RunHandlers, RunOptions, RunResult } from "./run-options.ts";

export interface InterruptOptions extends ChangeOptions {
  readonly runId?: string;
  readonly reason?: string;
}

/** One session, to talk with and to follow. */
export interface SessionHandle {
  readonly id: string;
  readonly files: Files;
  get(options?: CallOptions): Promise<Session>;
  /** Resolves when the inputs are safe in the session's mailbox. Sent again after a lost reply, they are taken once. */
  send(
    what: string | SendableInputBody | readonly SendableInputBody[],
    options?: ChangeOptions,
  ): Promise<SendReply>;
  /** Every event after a cursor, each once and in order, over any number of reconnects. */
  events(options?: EventsOptions): AsyncGenerator<FollowedEvent>;
  /** A page of the log. `after` is a cursor. */
  log(query?: PageQuery & { types?: readonly string[]; channel?: Channel }): Promise<Page<SessionEvent>>;
  /** Sends a message and waits for its run to end. */
  ask(text: string, options?: Omit<RunOptions, "text" | "content">): Promise<RunResult>;
  /** Sends a message and watches its run, running client tools and answering approvals. Rejects with BerthInputRefusedError when the message is refused. */
  run(options: RunOptions): Promise<RunResult>;
  /** Watches a run that was started elsewhere, from `after` (default: the first event). */
  join(runId: string, options?: RunHandlers & { readonly after?: string }): Promise<RunResult>;
  /** Ends the run that goes on, or the one that is named, also while it waits in the queue. */
  interrupt(options?: InterruptOptions): Promise<SendReply>;
  todos(options?: CallOptions): Promise<{ todos: Todo[] }>;
}

export function createSessionHandle(connector: Connector, id: string): SessionHandle {
  const { http } = connector;
  const approvals = createApprovals(http);

  function get(options: CallOptions = {}): Promise<Session> {
    return http.json({ method: "GET", path: sessionPath(id), ...callOf(options) });
  }
  function events(options: EventsOptions = {}): AsyncGenerator<FollowedEvent> {
    return sessionEvents(connector, id, options);
  }
  function send(what: Parameters<SessionHandle["send"]>[0], options: ChangeOptions = {}): Promise<SendReply> {
    const body = { events: inputsOf(what) };
    return http.json({ method: "POST", path: sessionPath(id, "/events"), body, ...callOf(options) });
  }
  async function sourceOf({ onState, signal }: RunHandlers): Promise<RunSource> {
    const session = await get({ ...(signal && { signal }) });
    return {
      session,
      events: (after, until) => events({ after, signal: until, ...(onState && { onState }) }),
      answers: {
        decide: (approvalId, decision) =>
          decision === undefined ? Promise.resolve() : approvals.decide(approvalId, decision),
        // Its client id makes the answer count once, even when this program runs twice.
        toolResult: (answer) =>
          send({ type: "user.tool_result", clientId: `result:${answer.toolUseId}`, ...answer }),
      },
    };
  }
  async function run(options: RunOptions): Promise<RunResult> {
    const { text, content = text, onBusy, idempotencyKey, onAccepted, ...handlers } = options;
    if (content === undefined) throw new TypeError("give text or content");
    const source = await sourceOf(handlers);
    const { generation, lastSeq } = source.session;
    const message = { type: "user.message", content, ...(onBusy && { onBusy }) } as const;
    const call = callOf(options);
    const [input] = (await send(message, call)).inputs;
    if (input === undefined) throw new Error("The server accepted no input.");
    onAccepted?.(input);
    // With a key of the caller's the message may be an old one, and its run long over.
    const after = idempotencyKey === undefined ? formatCursor(generation, lastSeq) : null;
    return await followRun(source, { input, runId: input.runId, after }, handlers);
  }

  return {
    id,
    files: createFiles(http, id),
    get,
    send,
    events,
    run,
    ask: (text, options = {}) => run({ ...options, text }),
    log({ signal, ...query } = {}) {
      return http.json({ method: "GET", path: sessionPath(id, "/events"), query, ...(signal && { signal }) });
    },
    async join(runId, options = {}) {
      return await followRun(await sourceOf(options), { runId, after: options.after ?? null }, options);
    },
    interrupt(options = {}) {
      const { runId, reason } = options;
      const about = { ...(runId !== undefined && { runId }), ...(reason !== undefined && { reason }) };
      return send({ type: "user.interrupt", ...about }, callOf(options));
    },
    todos: (options = {}) =>
      http.json({ method: "GET", path: sessionPath(id, "/todos"), ...callOf(options) }),
  };
}

function inputsOf(
  what: string | SendableInputBody | readonly SendableInputBody[],
): readonly SendableInputBody[] {
  if (typeof what === "string") return [{ type: "user.message", content: what }];
  return isList(what) ? what : [what];
}

function isList(
  what: SendableInputBody | readonly SendableInputBody[],
): what is readonly SendableInputBody[] {
  return Array.isArray(what);
}
