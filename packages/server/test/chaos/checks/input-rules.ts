import type { SessionEvent } from "@berth/contract";
import type { Checklist } from "../checklist.ts";
import type { AcceptedEntry, Ledger, MarkerEntry } from "../kill-loop/ledger.ts";
import type { Exported } from "../kill-loop/settle.ts";

export const inputRules = {
  once: "I3 every input that was accepted has exactly one event",
  kind: "I3 that event is its own or a refusal, and belongs to its run",
  order: "I3 inputs of a lane are taken in the order in which they were accepted",
  refused: "what was refused with 4xx left nothing in the log",
} as const;

const ownTypes: Readonly<Record<string, SessionEvent["type"]>> = {
  "user.message": "user.message",
  "system.message": "system.message",
  "user.interrupt": "user.interrupt",
  "user.approval": "approval.decided",
  "user.tool_result": "agent.tool_result",
  "run.retry": "run.started",
};

/** Compares what the server had promised with what is in the logs. */
export function checkInputs(checklist: Checklist, ledger: Ledger, logs: ReadonlyMap<string, Exported>): void {
  const bySession = Map.groupBy(ledger.accepted, ({ sessionId }) => sessionId);
  for (const [sessionId, exported] of logs) {
    const events = Map.groupBy(
      exported.log.filter(({ inputId }) => inputId !== undefined),
      ({ inputId }) => inputId ?? "",
    );
    for (const [inputId, of] of events) {
      const story = () => `${inputId} has the events ${of.map(({ seq }) => seq).join()}`;
      checklist.check(inputRules.once, of.length === 1, story, sessionId);
    }
    const entries = uniqueInputs(bySession.get(sessionId) ?? []);
    for (const entry of entries) checkEntry(checklist, entry, events.get(entry.inputId)?.[0]);
    checkOrder(checklist, entries, events);
  }
  for (const marker of ledger.markers) checkMarker(checklist, marker, logs.get(marker.sessionId));
}

/** A request that was repeated names its inputs again. */
function uniqueInputs(entries: readonly AcceptedEntry[]): readonly AcceptedEntry[] {
  const first = new Map<string, AcceptedEntry>();
  for (const entry of entries) if (!first.has(entry.inputId)) first.set(entry.inputId, entry);
  return [...first.values()];
}

function checkEntry(checklist: Checklist, entry: AcceptedEntry, event: SessionEvent | undefined): void {
  const { sessionId, inputId, type, runId } = entry;
  const there = event !== undefined;
  checklist.check(
    inputRules.once,
    there,
    () => `${inputId} (${type}, key ${entry.key}) has no event`,
    sessionId,
  );
  if (event === undefined) return;
  const own = event.type === ownTypes[type] || event.type === "input.refused";
  checklist.check(inputRules.kind, own, () => `${inputId} is a ${type} and became ${event.type}`, sessionId);
  if (event.type !== "user.message" || event.data.steered === true) return;
  checklist.check(
    inputRules.kind,
    event.data.runId === runId,
    () => `${inputId} was promised ${runId} and got ${event.data.runId}`,
    sessionId,
  );
}

function checkOrder(
  checklist: Checklist,
  entries: readonly AcceptedEntry[],
  events: ReadonlyMap<string, readonly SessionEvent[]>,
): void {
  for (const [lane, of] of Map.groupBy(entries, (entry) => entry.lane)) {
    const placed = of.flatMap((entry) => {
      const event = events.get(entry.inputId)?.[0];
      return event === undefined || outOfTurn(event) ? [] : [{ entry, seq: event.seq }];
    });
    for (const a of placed) {
      const late = placed.find((b) => wasBefore(a.entry, b.entry) && a.seq >= b.seq);
      checklist.check(
        inputRules.order,
        late === undefined,
        () =>
          `${lane}: ${a.entry.inputId} was accepted first and taken at ${a.seq}, ${late?.entry.inputId} at ${late?.seq}`,
        a.entry.sessionId,
      );
    }
  }
}

/** Certainly accepted before the other: its reply was there before the other was sent, or it came earlier in one request. */
function wasBefore(a: AcceptedEntry, b: AcceptedEntry): boolean {
  return a.repliedTick < b.sentTick || (a.key === b.key && a.index < b.index);
}

/** Taken back while it waited, or put aside because its session had killed its servers. */
function outOfTurn(event: SessionEvent): boolean {
  if (event.type !== "input.refused") return false;
  return event.data.code === "cancelled" || event.data.code === "quarantined";
}

function checkMarker(checklist: Checklist, entry: MarkerEntry, exported: Exported | undefined): void {
  if (exported === undefined) return;
  const { marker, accepted, inputId, sessionId, code } = entry;
  const word = new RegExp(`\\b${marker}\\b`);
  const said = exported.log.filter(
    (event) =>
      (event.type === "user.message" || event.type === "system.message") &&
      event.sessionId === sessionId &&
      word.test(JSON.stringify(event.data.content)),
  );
  if (!accepted) {
    const story = () => `${marker} was refused with ${code} and is in event ${said[0]?.seq}`;
    checklist.check(inputRules.refused, said.length === 0, story, sessionId);
    return;
  }
  const refused = exported.log.some((event) => event.type === "input.refused" && event.inputId === inputId);
  const story = () => `${marker} is in ${said.length} events (${said.map(({ seq }) => seq).join()})`;
  checklist.check(inputRules.once, said.length === (refused ? 0 : 1), story, sessionId);
}
