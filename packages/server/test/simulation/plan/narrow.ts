import type { OnBusy } from "@berth/contract";
import type { Random } from "../../chaos/random.ts";
import type { Action } from "./action.ts";
import type { Chat } from "./chat.ts";
import { anyWorker, type Fault } from "./fault.ts";
import { scriptText } from "./script.ts";

/** Windows so small that a talk of a few messages fills them. Tokens. */
export const narrowWindows = [180, 250, 350];

/** A run or two, a good part of a world, and more than all that is said. Tokens. */
const budgets = [500, 10_000, 100_000_000];

/** About how long a summary is written, in milliseconds. */
const writtenMs = 55;

type Step =
  | { readonly kind: "interrupt"; readonly queued: boolean }
  | { readonly kind: "rewind" | "fork" | "archive" | "remark" | "retry" }
  | { readonly kind: "say"; readonly onBusy: OnBusy };

/**
 * A session that talks more than its model's window takes. What makes room for more, a summary, is met by its client and by faults; and
 * its client goes back to before it.
 */
export function planNarrow(random: Random, session: number, { leaseMs }: { leaseMs: number }): Chat {
  const actions: Action[] = [];
  const faults: Fault[] = [];
  let no = 0;
  const script = () => {
    const turn = () => random.pick([["peek"], ["put"], ["fire"], ["peek", "peek"], ["helper:peek"]]);
    return scriptText(`S${session}.${no}`, Array.from({ length: random.int(1, 4) }, turn));
  };
  const act = (at: number, step: Step, amid?: number): void => {
    const base = { at, session, no, ...(amid !== undefined && { amid }) };
    if (step.kind !== "say") actions.push({ ...base, ...step });
    else actions.push({ ...base, ...step, identified: "clientId", script: script() });
    no += 1;
  };
  let at = random.int(0, 500);
  actions.push({ kind: "create", at, session, no: no++, keyed: false, retries: true, script: script() });
  if (random.chance(0.5)) {
    const onLimit = random.pick(["pause", "pause", "deny", "warn"] as const);
    actions.push({ kind: "budget", at: 0, session, no: no++, amount: random.pick(budgets), onLimit });
  }
  for (let left = random.int(3, 5); left > 0; left--) {
    at += random.int(300, 1_200);
    if (random.chance(0.6)) act(at, stepOf(random), random.int(0, writtenMs));
    if (random.chance(0.4)) faults.push(random.weighted(befalls)(random, at, leaseMs));
    act(at + 1, { kind: "say", onBusy: "enqueue" });
    if (random.chance(0.25)) act(at + random.int(100, 600), { kind: "fork" });
    if (!random.chance(0.4)) continue;
    at += random.int(300, 1_500);
    act(at, { kind: "rewind" });
    act(at + 1, { kind: "say", onBusy: "enqueue" });
  }
  return { actions, faults };
}

function stepOf(random: Random): Step {
  return random.weighted<Step>([
    [5, { kind: "interrupt", queued: random.chance(0.3) }],
    [2, { kind: "say", onBusy: random.pick(["interrupt", "rollback"] as const) }],
    [3, { kind: "say", onBusy: "steer" }],
    [2, { kind: "rewind" }],
    [1, { kind: "fork" }],
    [1, { kind: "retry" }],
    [0.5, { kind: "remark" }],
    [0.5, { kind: "archive" }],
  ]);
}

type FaultOfCall = Extract<Fault, { readonly op: string | null }>["kind"];
type FaultOfModel = Extract<Fault, { readonly of?: "summary" }>["kind"];
type Befalls = (random: Random, at: number, leaseMs: number) => Fault;

const onCall =
  (kind: FaultOfCall, op: string): Befalls =>
  (random, at, leaseMs) => {
    const ms = kind === "freeze" ? leaseMs + random.int(300, 4_000) : random.pick([50, 500, 3_000]);
    const skip = op === "text of a summary" ? random.int(0, 2) : 0;
    return { kind, at, process: anyWorker, op, skip, ms };
  };
const onModel =
  (kind: FaultOfModel): Befalls =>
  (random, at) => ({ kind, at, ms: random.pick([100, 2_000, 8_000]), of: "summary" });
const drain: Befalls = (random, at) => {
  const ms = random.pick([500, 5_000]);
  return { kind: "drain", at, process: anyWorker, ms, amid: "summary" };
};

/** What befalls a summary: what is set aside for it, the call that asks for it, its text, or the model that writes it. */
const befalls: readonly (readonly [weight: number, befalls: Befalls])[] = [
  [1, onCall("crash-after", "reserve")],
  [1, onCall("late-answer", "reserve")],
  [2, onCall("freeze", "reserve")],
  [1, onCall("crash-in-flight", "summary")],
  [1, onCall("freeze", "summary")],
  [1, onCall("slow-call", "summary")],
  [2, onCall("crash-before", "text of a summary")],
  [2, onModel("model-error")],
  [3, onModel("model-cut")],
  [1, onModel("model-hang")],
  [1, onModel("model-slow")],
  [3, onModel("model-retry")],
  [4, drain],
];
