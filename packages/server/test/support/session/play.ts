import type { InputBody } from "@berth/contract";
import { nextInput } from "../../../src/session/decide-input.ts";
import { isStepBoundary, nextStep } from "../../../src/session/next-step.ts";
import { answer, compacted, fail, toolReturns } from "./answers.ts";
import { Driver, type DriverOptions } from "./driver.ts";
import { hashOf, idOf, isoAt } from "./ids.ts";
import { Tape } from "./tape.ts";

type Move = (driver: Driver, tape: Tape) => void;

/** Turns that a play may take to come to rest, once nothing new happens. */
const patience = 2_000;

/**
 * Plays one random session: the tape chooses what people send, what models answer, what tools give back, when time passes and when
 * the holder dies. Then everybody answers at once until nothing is left to do. Throws when that does not come to an end.
 */
export function play(numbers: readonly number[], options: DriverOptions = {}): Driver {
  const driver = new Driver(options);
  const tape = new Tape(numbers);
  while (!tape.ended) {
    const within = movesWithin(driver);
    const moves = within.length === 0 || tape.once(8) ? fromOutside : within;
    moves[tape.next(moves.length)]?.(driver, tape);
    if (!tape.once(3)) driver.commit();
  }
  comeToRest(driver, tape);
  return driver;
}

function comeToRest(driver: Driver, tape: Tape): void {
  for (let turn = 0; turn < patience; turn++) {
    driver.commit();
    if (driver.state.run === null && driver.mailbox.length === 0) return;
    if (driver.take() !== null || driver.transit()) continue;
    const namespaces = [...driver.thinking.keys(), ...driver.compacting.keys()];
    for (const namespace of driver.thinking.keys()) answer(driver, namespace, tape);
    for (const namespace of driver.compacting.keys()) compacted(driver, namespace, tape);
    for (const toolUseId of driver.running) toolReturns(driver, toolUseId, tape);
    if (namespaces.length + driver.running.size > 0) continue;
    driver.now += 120_000;
    driver.fireTimers();
    if (driver.state.run?.blockedBy) release(driver);
  }
  throw new Error(
    `the session does not come to rest: it wants ${JSON.stringify(nextStep(driver.state, driver.policy))}`,
  );
}

/** What can go on now; what ought to happen often is there more than once. */
function movesWithin(driver: Driver): readonly Move[] {
  const moves: Move[] = [];
  const { state } = driver;
  if (nextInput(state, driver.mailbox) !== null) moves.push(...times(6, take));
  if (state.run === null) return moves;
  moves.push(...times(6, (one) => void one.transit()));
  if (driver.mayPause) moves.push((one, tape) => one.pause(tape.once(2) ? isoAt(one.now + 60_000) : null));
  if (state.run.blockedBy !== null) moves.push(release);
  for (const namespace of driver.thinking.keys()) {
    moves.push(...times(6, (one, tape) => answer(one, namespace, tape)), (one) => fail(one, namespace));
  }
  for (const toolUseId of driver.running)
    moves.push(...times(4, (one, tape) => toolReturns(one, toolUseId, tape)));
  for (const namespace of driver.compacting.keys())
    moves.push(...times(4, (one, tape) => compacted(one, namespace, tape)));
  for (const approvalId of Object.keys(state.approvals))
    moves.push(...times(4, (one, tape) => decideApproval(one, tape, approvalId)));
  for (const at of Object.values(state.namespaces))
    for (const { kind, state: is, toolUseId } of at.calls)
      if (kind === "client" && is === "executing")
        moves.push(...times(3, (one, tape) => sendResult(one, tape, toolUseId)));
  return moves;
}

function times(count: number, move: Move): readonly Move[] {
  return Array.from({ length: count }, () => move);
}

/** Somebody raised the budget, also when nobody waits for it any more. */
function release(driver: Driver): void {
  driver.accept({ type: "budget.released", cause: "changed", budgetId: idOf("budget", 1) });
}

function take(driver: Driver, tape: Tape): void {
  const [namespace] = driver.thinking.keys();
  if (namespace === undefined || tape.once(2)) return void driver.take();
  const stepId = driver.thinking.get(namespace) ?? "";
  const messageId = stepId.replace(/^stp_/, "msg_");
  driver.take([{ namespace, messageId, blockId: 0, text: tape.once(3) ? "" : "half a sen" }]);
}

function decideApproval(driver: Driver, tape: Tape, approvalId: string): void {
  const note = tape.once(2) ? { note: "I looked at it." } : {};
  const decision = tape.pick(["allow", "deny", "edit", "allow"] as const);
  const edited: unknown = tape.once(4) ? "unusable" : { edited: true };
  const input = decision === "edit" ? { input: edited } : {};
  driver.accept({ type: "user.approval", approvalId, decision, ...input, ...note });
}

function sendResult(driver: Driver, tape: Tape, toolUseId: string): void {
  driver.accept({ type: "user.tool_result", toolUseId, content: "from the caller", ok: !tape.once(3) });
}

function message(driver: Driver, tape: Tape): void {
  const onBusy = tape.pick(["enqueue", "steer", "interrupt", "rollback"] as const);
  const lane = onBusy === "enqueue" ? "queue" : onBusy === "steer" ? "steer" : "control";
  const content = tape.once(4)
    ? [{ type: "text" as const, text: "in parts" }]
    : "please ".repeat(1 + tape.next(50));
  driver.accept({ type: "user.message", content, onBusy }, lane);
}

/** What can happen at any time, to a session in any state. */
const fromOutside: readonly Move[] = [
  ...times(6, message),
  (driver, tape) => {
    const body = { type: "system.message", content: "The user moved to another page." } as const;
    driver.accept(body, tape.pick(["steer", "queue"] as const));
  },
  (driver, tape) => driver.accept({ type: "user.interrupt", ...(tape.once(2) && { reason: "enough" }) }),
  (driver, tape) => {
    const runId = idOf("run", 1 + tape.next(driver.rows.runs.size + 2));
    driver.accept({ type: "user.interrupt", runId });
  },
  (driver, tape) => {
    const runId = driver.state.lastRun?.id ?? idOf("run", 1);
    const body = { type: "run.retry", runId: tape.once(3) ? idOf("run", 99) : runId } as const;
    driver.accept(body, "queue");
  },
  (driver, tape) => driver.accept({ type: "session.rewind", toSeq: targetOf(driver, tape) }),
  (driver, tape) =>
    driver.accept({ type: "session.update", title: "New", metadata: { n: `${tape.next(9)}` } }),
  (driver, tape) => driver.accept({ type: "session.archive", archived: !tape.once(2) }),
  (driver) => driver.accept({ type: "session.archive", archived: false }),
  (driver) =>
    driver.accept({ type: "todo.write", todos: [{ id: "1", content: "go on", status: "pending" }] }),
  (driver, tape) => {
    const path = tape.pick(["/a.txt", "/forbidden", "d/b.txt"]);
    const body = tape.pick<InputBody>([
      { type: "file.write", path, hash: hashOf(7), size: 3 },
      { type: "file.move", path: "d", to: "e" },
      { type: "file.delete", path: "e" },
    ]);
    driver.accept(body);
  },
  (driver) => driver.accept({ type: "user.approval", approvalId: idOf("approval", 1), decision: "allow" }),
  (driver) =>
    driver.accept({ type: "user.tool_result", toolUseId: idOf("toolUse", 1), content: "", ok: true }),
  release,
  (driver) => driver.fireTimers(),
  (driver, tape) => {
    driver.now += tape.pick([1_000, 30_000, 90_000]);
  },
  (driver) => driver.crash(),
  (driver) => driver.crash(),
];

/** A seq to rewind to: often a safe one, sometimes any. */
function targetOf(driver: Driver, tape: Tape): number {
  const any = 1 + tape.next(driver.raw.length + 1);
  if (tape.once(4)) return any;
  for (let seq = Math.min(any, driver.raw.length); seq > 1; seq--) {
    const at = driver.stateAt(seq);
    if (at.seq === seq && isStepBoundary(at)) return seq;
  }
  return any;
}
