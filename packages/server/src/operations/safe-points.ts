import type { SessionEvent } from "@berth/contract";
import { isSafePoint } from "../session/decide-rewind.ts";
import { evolve } from "../session/evolve.ts";
import { isUndone, type RewindRange, rewindsOf } from "../session/fold.ts";
import { initialState } from "../session/state.ts";
import { decodeEvent } from "../session/upcast.ts";
import type { SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";

const page = { limit: 1_000, maxBytes: 1 << 20 };

/** The seqs nearest to one that a session can be rewound to, ascending. Reads the log up to the record's end, in pages. */
export async function nearestSafePoints(
  context: OperationsContext,
  session: SessionRecord,
  { seq, most }: { readonly seq: number; readonly most: number },
): Promise<readonly number[]> {
  const rewinds: RewindRange[] = [];
  // What is undone is known only at the end.
  for await (const events of pagesOf(context, session)) rewinds.push(...rewindsOf(events));
  let state = initialState;
  let nearest: number[] = [];
  for await (const events of pagesOf(context, session)) {
    const effective = events.filter((event) => !isUndone(event.seq, rewinds));
    for (const event of effective) {
      state = evolve(state, event);
      if (!isSafePoint(event.seq, { sessionId: session.id }, { target: state, rewinds })) continue;
      nearest.push(event.seq);
      // They ascend, so the farthest is the first or the last.
      if (nearest.length > most) {
        const [first = seq, last = seq] = [nearest[0], nearest.at(-1)];
        nearest = seq - first > last - seq ? nearest.slice(1) : nearest.slice(0, -1);
      }
    }
  }
  return nearest;
}

async function* pagesOf(
  context: OperationsContext,
  session: SessionRecord,
): AsyncGenerator<readonly SessionEvent[]> {
  const store = context.store.session(session.orgId, session.id);
  for (let after = 0; after < session.lastSeq;) {
    const read = await store.readLog({ after, ...page });
    const last = read?.events.at(-1);
    if (read === null || last === undefined) return;
    yield read.events.filter(({ seq }) => seq <= session.lastSeq).map(({ json }) => decodeEvent(json));
    after = last.seq;
  }
}
