import { type SessionEvent, sessionEvent } from "@berth/contract";
import { expect } from "vitest";
import { bytesOfChange } from "../../../src/session/file-changes.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { isWaiting, nextStep } from "../../../src/session/next-step.ts";
import { decodeState, encodeState } from "../../../src/session/snapshot.ts";
import { bytesOf } from "../../../src/session/size.ts";
import type { SessionState } from "../../../src/session/state.ts";
import type { Commit, Driver } from "./driver.ts";

/** A check of one session, called after each of its commits. */
export type Check = (driver: Driver, commit: Commit) => void;

/** Every event is what the contract says, with nothing besides. */
export function eventsAreValid(_: Driver, { events }: Commit): void {
  for (const event of events) expect(sessionEvent.parse(event)).toEqual(event);
}

/** I1 */
export function seqHasNoGap(driver: Driver, { events }: Commit): void {
  const from = driver.raw.length - events.length;
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => from + index + 1));
}

/** I3: at any time an input has one event, or waits. Within a lane what waits was accepted after what was taken. */
export function inputsHaveOneEvent(driver: Driver): void {
  const counts = new Map<string, number>();
  for (const { inputId } of driver.raw)
    if (inputId !== undefined) counts.set(inputId, (counts.get(inputId) ?? 0) + 1);
  const waiting = new Set(driver.mailbox.map((input) => input.id));
  for (const { id } of driver.accepted)
    expect([id, counts.get(id) ?? 0]).toEqual([id, waiting.has(id) ? 0 : 1]);
}

/** I3: inputs of a lane are taken in the order of acceptance, but for messages whose run was cancelled while it was queued. */
export function lanesKeepTheirOrder(driver: Driver): void {
  const cancelled = new Set(
    driver.raw.flatMap((event) =>
      event.type === "input.refused" && event.data.code === "cancelled" ? [event.inputId] : [],
    ),
  );
  const order = driver.raw.flatMap(({ inputId }) => driver.accepted.filter((input) => input.id === inputId));
  for (const lane of ["control", "steer", "queue"]) {
    const taken = order
      .filter((input) => input.lane === lane && !cancelled.has(input.id))
      .map(({ id }) => id);
    expect(taken).toEqual(taken.toSorted());
  }
}

/** Only control inputs cut a run short, and steering messages come between two steps of the session's own agent. */
export function lanesWait(driver: Driver, { events, taken }: Commit): void {
  const cut = events.some((event) => event.type === "run.finished" && event.data.reason === "interrupted");
  expect(cut && !taken.some((input) => input.lane === "control")).toBe(false);
  const open = new Set<string | undefined>();
  for (const { type, namespace, stepId, data } of driver.raw) {
    if (type === "user.message" && data.steered === true) expect([...open]).toEqual([]);
    if (namespace !== "") continue;
    if (type === "step.started") open.add(stepId);
    if (type === "step.finished") open.delete(stepId);
    if (type === "agent.tool_use") open.add(data.toolUseId);
    if (type === "agent.tool_result") open.delete(data.toolUseId);
  }
}

/** I4 */
export function runsEndOnce(driver: Driver): void {
  let open: string | null = null;
  for (const { type, runId } of driver.raw) {
    if (type === "run.started") {
      expect(open).toBeNull();
      open = runId ?? "";
    }
    if (type !== "run.finished") continue;
    expect(runId).toBe(open);
    open = null;
  }
  expect(open).toBe(driver.committed.run?.id ?? null);
}

/** I5: also that every step that began ended, once. */
export function callsHaveOneResult(driver: Driver): void {
  const open = new Map<string, string>();
  const known = new Set<string>();
  const steps = new Set<string>();
  for (const event of driver.raw) {
    if (event.type === "step.started") {
      const unanswered = [...open].filter(([, namespace]) => namespace === event.namespace);
      expect(unanswered).toEqual([]);
      steps.add(event.stepId ?? "");
    }
    if (event.type === "step.finished") expect(steps.delete(event.stepId ?? "")).toBe(true);
    if (event.type === "run.finished") expect([...open, ...steps]).toEqual([]);
    if (event.type === "agent.tool_use") {
      expect(known.has(event.data.toolUseId)).toBe(false);
      known.add(event.data.toolUseId);
      open.set(event.data.toolUseId, event.namespace);
    }
    if (event.type === "agent.tool_result") {
      expect(open.get(event.data.toolUseId)).toBe(event.namespace);
      open.delete(event.data.toolUseId);
    }
  }
}

/** I6 */
export function onceIsOnce(driver: Driver): void {
  const marks = new Map<string, SessionEvent>();
  const results = new Map<string, SessionEvent<"agent.tool_result">>();
  for (const event of driver.raw) {
    if (event.type === "agent.tool_started") {
      expect(marks.has(event.data.toolUseId)).toBe(false);
      marks.set(event.data.toolUseId, event);
    }
    if (event.type === "agent.tool_result") results.set(event.data.toolUseId, event);
  }
  const started = new Set<string>();
  for (const { toolUseId, effect, epoch } of driver.starts) {
    if (effect !== "once") continue;
    expect(started.has(toolUseId)).toBe(false);
    started.add(toolUseId);
    expect(marks.has(toolUseId)).toBe(true);
    if (epoch < driver.epoch) expect(results.has(toolUseId)).toBe(true);
  }
}

/** I7: what ran had the arguments that the model wrote, or those that a person put in their place. */
export function onlyApprovedRuns(driver: Driver): void {
  const allowed = new Map<string, string | null>();
  const executed: (readonly [toolUseId: string, hash: string])[] = [];
  for (const { type, data } of driver.raw) {
    if (type === "agent.tool_use")
      allowed.set(data.toolUseId, data.permission === "allow" ? data.inputHash : null);
    if (type === "approval.requested") expect(allowed.get(data.toolUseId)).toBeNull();
    if (type === "approval.decided" && data.decision !== "deny") {
      const asked = driver.raw.find(
        (one) => one.type === "approval.requested" && one.data.approvalId === data.approvalId,
      );
      const askedHash = asked?.type === "approval.requested" ? asked.data.inputHash : "";
      allowed.set(data.toolUseId, data.decision === "edit" ? (data.inputHash ?? "") : askedHash);
    }
    if (type === "agent.tool_started") executed.push([data.toolUseId, data.inputHash]);
    if (type === "agent.tool_result" && data.executedHash !== undefined)
      executed.push([data.toolUseId, data.executedHash]);
  }
  for (const { toolUseId, hash } of driver.starts) executed.push([toolUseId, hash]);
  for (const [toolUseId, hash] of executed)
    expect([toolUseId, hash]).toEqual([toolUseId, allowed.get(toolUseId)]);
}

/** I8 */
export function foldsAgree(driver: Driver): void {
  const incremental = encodeState(driver.committed);
  const visible = effectiveEvents(driver.raw);
  expect(encodeState(fold(visible))).toBe(incremental);
  for (const { seq, text } of driver.snapshots.slice(-3)) {
    if (!visible.some((event) => event.seq === seq)) continue;
    const after = visible.filter((event) => event.seq > seq);
    expect(encodeState(fold(after, decodeState(text)))).toBe(incremental);
  }
}

/** A run waits if and only if nothing of it can go on. */
export function waitingIsNothingElse(driver: Driver): void {
  const { committed, policy } = driver;
  if (committed.run === null) return expect(isWaiting(committed)).toBe(false);
  const next = nextStep(committed, { ...policy, now: committed.run.startedAt });
  expect(next.some((action) => action.type === "wait")).toBe(isWaiting(committed));
  expect(committed.run.waitingSince !== null).toBe(isWaiting(committed));
}

/** No namespace has two model calls, the tree keeps its limits, and calls that conflict do not run side by side. */
export function actionsFit(driver: Driver): void {
  const { committed, policy } = driver;
  const { run } = committed;
  if (run === null) return;
  expect(run.steps).toBeLessThanOrEqual(run.limits.maxSteps);
  for (const at of Object.values(committed.namespaces)) {
    expect(at.depth).toBeLessThanOrEqual(run.limits.maxDepth);
    const busy = at.calls.filter((call) => policy.inFlight.has(call.toolUseId));
    if (busy.length > 1) expect(new Set(busy.map((call) => call.effect))).toEqual(new Set(["pure"]));
  }
}

/** The rows of runs, approvals and timers say the same as the state. */
export function rowsAgree(driver: Driver): void {
  const { committed, rows } = driver;
  const going = [...rows.runs].filter(
    ([, row]) => row["status"] === "running" || row["status"] === "waiting",
  );
  expect(going.map(([id]) => id)).toEqual(committed.run === null ? [] : [committed.run.id]);
  const queued = [...rows.runs].filter(([, row]) => row["status"] === "queued").map(([id]) => id);
  const minted = driver.mailbox.flatMap(({ runId }) => (runId === null ? [] : [runId]));
  expect(queued.toSorted()).toEqual(minted.toSorted());
  const pending = [...rows.approvals].filter(([, status]) => status === "pending").map(([id]) => id);
  expect(pending.toSorted()).toEqual(Object.keys(committed.approvals).toSorted());
  const calls = Object.values(committed.namespaces).flatMap((at) => at.calls);
  const awaited = calls.filter((call) => call.kind === "client" && call.state === "executing");
  const { run } = committed;
  const blocked = run !== null && run.blockedBy !== null ? [run.id] : [];
  const waiting = new Set([...pending, ...awaited.map((call) => call.toolUseId), ...blocked]);
  for (const { ref } of rows.timers.values()) expect(waiting).toContain(ref);
}

/** The size that was counted on the way grows as measuring anew does. */
export function bytesAreCounted({ committed, raw }: Driver): void {
  const first = fold(raw.slice(0, 1));
  expect(committed.bytes - first.bytes).toBe(measured(committed) - measured(first));
}

function measured(state: SessionState): number {
  let sum = bytesOf(state.todos) + bytesOf(state.metadata) + state.fileChanges.length * bytesOfChange;
  for (const at of Object.values(state.namespaces)) for (const item of at.items) sum += bytesOf(item);
  return sum;
}
