import type { Step } from "./engine/scheduler.ts";
import type { Action } from "./plan/action.ts";
import type { Fault } from "./plan/fault.ts";
import type { Outcome } from "./run-plan.ts";

/** Steps that say little in a story. */
const dull =
  /^(timer|commit|presence|heartbeat|.* heartbeat|.* presence|read answers|.* read|a follower looks|.* answers)/;

/** A failure as a short story: what was planned, what went wrong, and its last steps. */
export function storyOf({ plan, violation, lastSteps }: Outcome, shown: number): string {
  const { build } = plan;
  const told = [
    ...plan.actions.map((action) => ({ at: action.at, line: actionLine(action) })),
    ...plan.faults.map((fault) => ({ at: fault.at, line: faultLine(fault) })),
  ].toSorted((a, b) => a.at - b.at);
  return [
    `  ${build.workers} workers, ${build.apis} APIs, lease ${build.leaseMs} ms, ${build.concurrency} runs and ${build.maxSessions} sessions at once, a snapshot every ${build.snapshotEvery} events, models of ${build.contextWindow} tokens${build.strictWindow ? " that refuse more" : ""}`,
    ...told.map(({ at, line }) => `  ${time(at)} ${line}`),
    "  its last steps:",
    ...lastSteps
      .filter(({ label }) => !dull.test(label))
      .slice(-shown)
      .map(stepLine),
    `  ${violation?.message ?? "all is well"}`,
  ].join("\n");
}

export function stepLine({ at, who, label }: Step): string {
  return `  ${time(at)} ${who.padEnd(5)} ${label}`;
}

function time(ms: number): string {
  return ms.toFixed(1).padStart(9);
}

function actionLine(action: Action): string {
  const met = action.amid === undefined ? "" : ` waits for a summary, and after ${action.amid} ms`;
  const who = `the client of S${action.session}${met}`;
  if (action.kind === "create")
    return `${who} makes it${action.script === null ? "" : ` and says "${action.script}"`}`;
  if (action.kind === "say") return `${who} says "${action.script}" (${action.onBusy}, ${action.identified})`;
  if (action.kind === "interrupt") return `${who} interrupts ${action.queued ? "the newest run" : "the run"}`;
  if (action.kind === "budget") return `${who} sets a budget of ${action.amount} tokens (${action.onLimit})`;
  return `${who}: ${action.kind}`;
}

function faultLine(fault: Fault): string {
  const { kind, ms } = fault;
  const where = "process" in fault ? ` of ${fault.process}` : "";
  const op = "op" in fault ? ` on ${fault.op ?? "any call"}` : "";
  return `FAULT ${kind}${where}${op} (${ms} ms)`;
}

/** Of the lines in which counts are printed. */
const tableWidth = 120;

/** How often each thing happened. */
export function countsTable(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = ["what happened, and how often:"];
  let line = " ";
  for (const [name, count] of sorted) {
    const next = ` ${name} ${count},`;
    if (line.length + next.length > tableWidth) {
      lines.push(line);
      line = " ";
    }
    line += next;
  }
  return [...lines, line.replace(/,$/, "")].join("\n");
}
