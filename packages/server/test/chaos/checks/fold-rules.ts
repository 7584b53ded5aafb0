import { canonicalJson } from "../../../src/lib/canonical-json.ts";
import { statusOfReason } from "../../../src/session/decide-run.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { decodeState, encodeState } from "../../../src/session/snapshot.ts";
import type { SessionState } from "../../../src/session/state.ts";
import { statusOf } from "../../../src/session/state.ts";
import type { Checklist } from "../checklist.ts";
import type { Exported } from "../kill-loop/settle.ts";
import type { Random } from "../random.ts";

export const foldRules = {
  I8: "I8 folding from 0 and from a snapshot at any place gives the same state",
  row: "the session's row says what its log says",
  approvals: "the rows of approvals say what the log says",
  runs: "the rows of runs say what the log says",
} as const;

/** Refolds a log with the session core and compares it with itself and with every row that is derived from it. */
export function checkFolds(checklist: Checklist, exported: Exported, random: Random): void {
  const { log, entry } = exported;
  const visible = effectiveEvents(log);
  const state = fold(visible);
  const whole = canonicalJson(JSON.parse(encodeState(state)));
  for (let times = 0; times < 3; times++) {
    const at = random.int(1, visible.length);
    const snapshot = encodeState(fold(visible.slice(0, at)));
    const again = fold(visible.slice(at), decodeState(snapshot));
    const same = canonicalJson(JSON.parse(encodeState(again))) === whole;
    checklist.check(foldRules.I8, same, () => `from a snapshot at ${visible[at - 1]?.seq}`, entry.id);
  }
  checkRow(checklist, exported, state);
  checkApprovals(checklist, exported);
  checkRunRows(checklist, exported);
}

function checkRow(checklist: Checklist, { row, entry, todos }: Exported, state: SessionState): void {
  const pairs: Readonly<Record<string, readonly [row: unknown, log: unknown]>> = {
    status: [row.status, statusOf(state)],
    title: [row.title, state.title],
    model: [row.model, state.model],
    metadata: [row.metadata, state.metadata],
    currentRunId: [row.currentRunId, state.run?.id ?? null],
    usage: [row.usage, state.usage],
    key: [row.key, state.key],
    lastSeq: [row.lastSeq, state.seq],
    todos: [todos, state.todos],
  };
  for (const [name, [ofRow, ofLog]] of Object.entries(pairs)) {
    const story = () => `${name} is ${JSON.stringify(ofRow)} and ${JSON.stringify(ofLog)} by the log`;
    checklist.check(foldRules.row, canonicalJson(ofRow) === canonicalJson(ofLog), story, entry.id);
  }
}

const decided = { allow: "allowed", deny: "denied", edit: "edited" } as const;

/** Approvals of the shared part of a fork are its parent's. */
function checkApprovals(checklist: Checklist, { log, entry, approvals }: Exported): void {
  const wanted = new Map<string, string>();
  const own = log.filter(({ seq }) => seq > (entry.fork?.seq ?? 0));
  for (const { type, data } of own) {
    if (type === "approval.requested") wanted.set(data.approvalId, "cancelled");
    if (type === "approval.decided" && wanted.has(data.approvalId))
      wanted.set(data.approvalId, decided[data.decision]);
    if (type === "approval.expired" && wanted.has(data.approvalId)) wanted.set(data.approvalId, "expired");
  }
  const rows = new Map(approvals.map(({ id, status }) => [id, status as string]));
  for (const [id, status] of wanted) {
    const story = () => `${id} is ${rows.get(id)}, and ${status} by the log`;
    checklist.check(foldRules.approvals, rows.get(id) === status, story, entry.id);
  }
}

function checkRunRows(checklist: Checklist, { log, entry, runs }: Exported): void {
  const rows = new Map(runs.map((run) => [run.id, run]));
  const own = log.filter(({ seq }) => seq > (entry.fork?.seq ?? 0));
  const begun = new Set(own.flatMap(({ type, runId }) => (type === "run.started" ? [runId] : [])));
  for (const { type, data, runId = "" } of own) {
    if (type !== "run.finished" || !begun.has(runId)) continue;
    const row = rows.get(runId);
    const same = row?.status === statusOfReason(data.reason) && row.reason === data.reason;
    const story = () => `${runId} is ${row?.status} (${row?.reason}), and ended with ${data.reason}`;
    checklist.check(foldRules.runs, same, story, entry.id);
  }
  for (const { id, status } of runs) {
    const over = status === "completed" || status === "failed" || status === "cancelled";
    checklist.check(foldRules.runs, over, () => `${id} is still ${status}`, entry.id);
  }
}
