import type { SessionEvent } from "@berth/contract";
import { sessionTopic } from "../coordination/session-frames.ts";
import { decodeEvent } from "../session/upcast.ts";
import type { StoredEvent } from "../store/records.ts";
import { sessionNotFound } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { createDoorbell } from "./doorbell.ts";

interface Wait {
  readonly orgId: string;
  readonly sessionId: string;
  readonly inputIds: readonly string[];
  /** The session's last seq before the inputs were accepted: their events come later. */
  readonly after: number;
  readonly signal?: AbortSignal | undefined;
}

/** Events of one read of the log. */
const pageSize = 500;

/**
 * The events that took these inputs, by input id, as soon as the log has them all. Null when it has not after
 * `settings.syncWaitMs`, or when the signal aborts. Rejects with `session_not_found` when the session is deleted meanwhile.
 * The bus only says when to look; the store says what is there.
 */
export async function awaitEvents(
  context: OperationsContext,
  wait: Wait,
): Promise<ReadonlyMap<string, SessionEvent> | null> {
  const { clock, settings } = context;
  const deadline = clock.monotonic() + settings.syncWaitMs;
  const bell = createDoorbell(clock);
  const unsubscribe = await context.bus.subscribe(sessionTopic(wait.orgId, wait.sessionId), (frame) => {
    if (isLogFrame(frame)) bell.ring();
  });
  wait.signal?.addEventListener("abort", bell.ring, { once: true });
  try {
    const found = new Map<string, SessionEvent>();
    for (let cursor = wait.after; ;) {
      cursor = await scan(context, wait, { after: cursor, found });
      if (found.size === wait.inputIds.length) return found;
      const left = deadline - clock.monotonic();
      if (left <= 0 || wait.signal?.aborted) return null;
      await bell.heard(Math.min(left, settings.rereadMs));
    }
  } finally {
    wait.signal?.removeEventListener("abort", bell.ring);
    unsubscribe();
  }
}

/** Text deltas come by the hundred and say nothing about the log. */
function isLogFrame(frame: unknown): boolean {
  return typeof frame === "object" && frame !== null && "kind" in frame && frame.kind === "events";
}

/** Reads on from a seq and notes what is looked for; returns the seq up to which it has read. */
async function scan(
  context: OperationsContext,
  wait: Wait,
  { after, found }: { after: number; found: Map<string, SessionEvent> },
): Promise<number> {
  const store = context.store.session(wait.orgId, wait.sessionId);
  for (let cursor = after; ;) {
    const page = await store.readLog({ after: cursor, limit: pageSize });
    if (page === null) throw sessionNotFound(wait.sessionId);
    for (const event of page.events) note(event, wait.inputIds, found);
    cursor = page.events.at(-1)?.seq ?? cursor;
    if (found.size === wait.inputIds.length || cursor >= page.record.lastSeq) return cursor;
  }
}

function note(stored: StoredEvent, inputIds: readonly string[], found: Map<string, SessionEvent>): void {
  const id = inputIds.find((wanted) => stored.json.includes(`"inputId":"${wanted}"`));
  if (id === undefined) return;
  const event = decodeEvent(stored.json);
  if (event.inputId === id) found.set(id, event);
}
