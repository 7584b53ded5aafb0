import type { Projected } from "../../../src/session/project.ts";

interface Timer {
  readonly kind: "approval" | "client_tool" | "budget";
  readonly ref: string;
  readonly dueAt: number;
}

/** The rows that a store keeps beside a log, as `project` changes them. */
export class Rows {
  readonly runs = new Map<string, Readonly<Record<string, unknown>>>();
  readonly approvals = new Map<string, string>();
  readonly timers = new Map<string, Timer>();
  session: Readonly<Record<string, unknown>> = {};
  rewinds: readonly { readonly at: number; readonly toSeq: number }[] = [];

  queue(runId: string): void {
    this.runs.set(runId, { status: "queued" });
  }

  due(now: number): readonly Timer[] {
    const due = [...this.timers.values()].filter((timer) => timer.dueAt <= now);
    for (const { kind, ref } of due) this.timers.delete(`${kind} ${ref}`);
    return due;
  }

  apply(changes: Projected): void {
    this.session = { ...this.session, ...changes.session };
    for (const { id, ...change } of changes.runs) this.runs.set(id, { ...this.runs.get(id), ...change });
    for (const change of changes.approvals) {
      if (change.op === "insert") this.approvals.set(change.row.id, "pending");
      else if (this.approvals.get(change.id) !== "pending") throw new Error(`${change.id} is decided twice`);
      else this.approvals.set(change.id, change.status);
    }
    for (const { kind, ref } of changes.timers.clear) this.timers.delete(`${kind} ${ref}`);
    for (const timer of changes.timers.set) this.timers.set(`${timer.kind} ${timer.ref}`, timer);
    if (changes.rewind !== undefined) this.rewinds = [...this.rewinds, changes.rewind];
  }
}
