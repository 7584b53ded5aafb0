import { BerthError } from "../../lib/errors.ts";
import type { StoredEvent } from "../records.ts";
import type { SessionStore } from "../store.ts";
import { loadLog } from "./queries/load.ts";
import { mailboxOf } from "./queries/inputs.ts";
import { readEvents } from "./queries/log.ts";
import { segmentsOf } from "./queries/segments.ts";
import { findSessionRow, sessionRecord } from "./queries/session-row.ts";
import type { SessionRef } from "./protocol.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Waiting inputs of one session, when the caller names no other limit. */
const defaultMailboxLimit = 1_000;

export function sessionStore({
  writer,
  reader,
  ref,
}: {
  writer: Writer;
  reader: Reader;
  ref: SessionRef;
}): SessionStore {
  const { orgId, sessionId } = ref;
  return {
    find: () =>
      reader.read((sql) => {
        const row = findSessionRow(sql, orgId, sessionId);
        return row === undefined ? null : sessionRecord(row);
      }),
    accept: ({ rejectIfBusy = false, limit = defaultMailboxLimit, ...change }) =>
      writer.run("accept", { ...ref, ...change, rejectIfBusy, limit }),
    mailbox: () => reader.read((sql) => mailboxOf(sql, orgId, sessionId)),
    readLog: ({ after, limit, maxBytes = Number.POSITIVE_INFINITY }) =>
      reader.readTogether((sql) => {
        const row = findSessionRow(sql, orgId, sessionId);
        if (row === undefined) return null;
        const events: StoredEvent[] = [];
        readEvents(sql, {
          chain: segmentsOf(sql, row),
          range: { from: after + 1, to: row.lastSeq },
          allowance: { events: limit, bytes: maxBytes },
          into: events,
        });
        return { record: sessionRecord(row), events };
      }),
    load: ({ stateVersion, upTo }) =>
      reader.readTogether((sql) => loadLog(sql, { orgId, sessionId, stateVersion, upTo })),
    async putSnapshot(snapshot) {
      if (!Number.isSafeInteger(snapshot.seq) || snapshot.seq < 1) {
        throw new BerthError("internal", `a snapshot at ${snapshot.seq} makes no sense`);
      }
      await writer.run("putSnapshot", { ...ref, ...snapshot });
    },
  };
}
