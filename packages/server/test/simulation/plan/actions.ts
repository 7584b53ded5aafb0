import type { OnBusy } from "@berth/contract";
import type { Random } from "../../chaos/random.ts";
import type { Action } from "./action.ts";
import { scriptText } from "./script.ts";

type Unplaced = Action extends infer One
  ? One extends Action
    ? Omit<One, "at" | "session" | "no">
    : never
  : never;

const words = [
  "peek",
  "peek",
  "put",
  "fire",
  "fire",
  "ask_peek",
  "ask_put",
  "ask_fire",
  "pick",
  "helper:fire",
  "helper:ask_put",
  "text",
];

function script(random: Random, tag: string): string {
  const turns = Array.from({ length: random.int(0, 3) }, () =>
    Array.from(
      {
        length: random.weighted([
          [5, 1],
          [3, 2],
          [1, 3],
        ]),
      },
      () => random.pick(words),
    ),
  );
  return scriptText(tag, turns);
}

function say(random: Random, tag: string): Unplaced {
  const onBusy = random.weighted<OnBusy>([
    [5, "enqueue"],
    [3, "steer"],
    [1, "interrupt"],
    [1, "reject"],
    [1, "rollback"],
  ]);
  const identified = random.weighted<"clientId" | "key" | "none">([
    [3, "clientId"],
    [3, "key"],
    [1, "none"],
  ]);
  return { kind: "say", onBusy, identified, script: script(random, tag) };
}

function other(random: Random, tag: string): Unplaced {
  return random.weighted<() => Unplaced>([
    [12, () => say(random, tag)],
    [2, () => ({ kind: "interrupt", queued: random.chance(0.3) })],
    [1, () => ({ kind: "fork" })],
    [2, () => ({ kind: "rewind" })],
    [1, () => ({ kind: "retry" })],
    [0.6, () => ({ kind: "archive" })],
    [0.6, () => ({ kind: "unarchive" })],
    [0.4, () => ({ kind: "delete" })],
    [0.7, () => ({ kind: "rename" })],
    [0.7, () => ({ kind: "upload" })],
    [0.7, () => ({ kind: "remark" })],
    [0.7, () => ({ kind: "edition" })],
  ])();
}

/** What all clients do, in the order of time. */
export function planActions(
  random: Random,
  { sessions, ms }: { sessions: number; ms: number },
): readonly Action[] {
  const actions: Action[] = [];
  for (let session = 0; session < sessions; session++) {
    const own = random.branch(`session ${session}`);
    actions.push(...planTalk(own, { session, begin: own.int(0, ms / 3), ms }));
  }
  return actions.toSorted((a, b) => a.at - b.at);
}

/** What the client of one session does, in the order of time: makes it, and comes back to it for two thirds of `ms`. */
export function planTalk(
  own: Random,
  { session, begin, ms }: { session: number; begin: number; ms: number },
): readonly Action[] {
  const actions: Action[] = [];
  let at = begin;
  const more = own.weighted([
    [4, 1],
    [3, 2],
    [2, 4],
    [1, 6],
  ]);
  for (let no = 0; no <= more; no++) {
    const tag = `S${session}.${no}`;
    const first: Unplaced = {
      kind: "create",
      keyed: own.chance(0.3),
      retries: own.chance(0.8),
      script: own.chance(0.7) ? script(own, tag) : null,
    };
    actions.push({ ...(no === 0 ? first : other(own, tag)), at, session, no });
    at += own.chance(0.5) ? own.int(1, 300) : own.int(300, Math.floor((2 * ms) / (3 * more)));
  }
  return actions;
}
