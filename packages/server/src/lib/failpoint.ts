import { BerthError } from "./errors.ts";

/**
 * Named places where the fault tests kill the process with SIGKILL. Unarmed (always, but in those tests) a failpoint is
 * one comparison with null. `npm run faults -- --list` prints them.
 */
export const failpoints = [
  "store.commit.before",
  "store.commit.after",
  "store.accept.before-commit",
  "store.accept.after-commit",
  "store.create-session.after-commit",
  "store.claim.after-commit",
  "store.release.after-commit",
  "store.snapshot.after-commit",
  "store.timers.after-commit",
  "store.heartbeat.after-commit",
  "store.agent.after-commit",
  "blob.before-write",
  "blob.before-rename",
  "blob.after-rename",
  "http.accepted.before-reply",
  "http.created.before-reply",
  "runtime.claimed",
  "runtime.recovered",
  "runtime.input-taken",
  "runtime.before-publish",
  "runtime.after-publish",
  "runtime.before-model",
  "runtime.model-streaming",
  "runtime.model-finished",
  "runtime.before-tool",
  "runtime.tool-done",
  "runtime.approval-requested",
  "runtime.subagent-started",
  "runtime.run-finished",
  "runtime.before-manifest",
  "runtime.before-restore",
  "runtime.after-restore",
  "runtime.compacted",
  "tool.effect-done",
  "allocation.workspace",
  "allocation.copying",
  "allocation.copied",
  "allocation.moved",
  "allocation.reserved",
  "allocation.intent",
  "allocation.created",
  "allocation.claimed",
  "allocation.before-active",
  "allocation.activated",
  "allocation.shared",
  "allocation.warm",
  "allocation.mid-destroy",
  "allocation.destroyed",
  "sandbox.record-written",
  "sandbox.spawned",
  "sandbox.placed",
  "sandbox.before-destroy",
  "sandbox.mid-destroy",
] as const;

export type FailpointName = (typeof failpoints)[number];

interface Armed {
  readonly name: FailpointName;
  /** Hits that are let pass before the one that kills. */
  readonly skip: number;
}

let armed: Armed | null = null;
let hits = 0;

/** Arms one failpoint: `name` or `name@n` kills at the n-th hit. Null disarms. */
export function armFailpoint(spec: string | null): void {
  hits = 0;
  if (spec === null) {
    armed = null;
    return;
  }
  const [name, nth] = spec.split("@");
  if (!failpoints.includes(name as FailpointName)) {
    throw new BerthError(
      "unknown_failpoint",
      `there is no failpoint ${name}; the names are: ${failpoints.join(", ")}`,
    );
  }
  armed = { name: name as FailpointName, skip: Math.max(0, Number(nth ?? 1) - 1) };
}

/** Kills this process here when this failpoint is the armed one and its turn has come. */
export function failpoint(name: FailpointName): void {
  if (armed === null || armed.name !== name) return;
  if (hits++ < armed.skip) return;
  process.kill(process.pid, "SIGKILL");
  // The signal is handled when this thread next enters the kernel; nothing may run after the failpoint.
  for (;;);
}
