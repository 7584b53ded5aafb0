import {
  type Channel,
  channelOf,
  formatCursor,
  type Page,
  parseCursor,
  type SessionEvent,
} from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { SessionRecord, StoredEvent } from "../store/records.ts";
import { readableSession, sessionNotFound } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { ownEvent } from "./own-event.ts";

interface ListEvents {
  readonly sessionId: string;
  readonly limit: number;
  /** `generation.seq`, or a seq alone. */
  readonly after?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly channels?: readonly Channel[] | undefined;
  /** Of sub-agents; empty for the session's own agent. */
  readonly namespaces?: readonly string[] | undefined;
}

/** Events that one request looks at, at most: what a narrow filter leaves out is not read for ever. */
const scanLimit = 5_000;

/** The raw log after a cursor. A page may be short, even empty, and still have a next one. Rejects with `session_not_found` or `cursor_invalid`. */
export async function listEvents(
  context: OperationsContext,
  principal: Principal,
  wanted: ListEvents,
): Promise<Page<SessionEvent>> {
  const id = wanted.sessionId;
  const session = await readableSession({ context, principal, id });
  const store = context.store.session(session.orgId, id);
  const items: SessionEvent[] = [];
  const start = startOf(wanted.after, session);
  let cursor = start;
  for (;;) {
    const page = await store.readLog({ after: cursor, limit: Math.max(wanted.limit - items.length, 100) });
    if (page === null) throw sessionNotFound(id);
    for (const stored of page.events) {
      if (items.length === wanted.limit) return { items, next: formatCursor(session.generation, cursor) };
      cursor = stored.seq;
      const event = passes(stored, wanted) ? ownEvent(stored, session) : null;
      if (event !== null && inNamespace(event, wanted)) items.push(event);
    }
    if (cursor >= page.record.lastSeq) return { items, next: null };
    if (items.length === wanted.limit || cursor - start >= scanLimit) {
      return { items, next: formatCursor(session.generation, cursor) };
    }
  }
}

function passes({ type }: StoredEvent, { types, channels }: ListEvents): boolean {
  return (types?.includes(type) ?? true) && (channels?.includes(channelOf(type)) ?? true);
}

function inNamespace(event: SessionEvent, { namespaces }: ListEvents): boolean {
  return namespaces?.includes(event.namespace) ?? true;
}

/** The seq that a cursor stands for. */
function startOf(after: string | undefined, session: SessionRecord): number {
  if (after === undefined) return 0;
  const parsed = /^\d{1,15}$/.test(after)
    ? { generation: session.generation, seq: Number(after) }
    : parseCursor(after);
  if (parsed?.generation === session.generation && parsed.seq <= session.lastSeq) return parsed.seq;
  throw new BerthError(
    "cursor_invalid",
    `The cursor ${after} is not of this session's log: read it from the beginning.`,
    {
      details: { lastSeq: session.lastSeq, generation: session.generation },
    },
  );
}
