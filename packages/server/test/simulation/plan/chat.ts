import type { Random } from "../../chaos/random.ts";
import type { Action } from "./action.ts";
import { anyWorker, type Fault } from "./fault.ts";
import { scriptText } from "./script.ts";

/** What one client does and what befalls it, in the order of time. */
export interface Chat {
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
}

export const noChat: Chat = { actions: [], faults: [] };

/**
 * A session that is at rest whenever it is spoken to, from the world's first moments on, when its worker has little else to do. Its messages
 * come two at a time while the network loses or delays what tells of them; or its worker is stopped right when one of them is taken.
 */
export function planChat(random: Random, session: number): Chat {
  const actions: Action[] = [];
  const faults: Fault[] = [];
  const say = (at: number): void => {
    const no = actions.length;
    const script = scriptText(`S${session}.${no}`, random.chance(0.8) ? [] : [["peek"]]);
    const retries = { keyed: false, retries: true } as const;
    actions.push(
      no === 0
        ? { kind: "create", at, session, no, ...retries, script }
        : { kind: "say", at, session, no, onBusy: "enqueue", identified: "clientId", script },
    );
  };
  let at = random.int(0, 500);
  say(at);
  for (let left = random.int(2, 3); left > 0; left--) {
    at += random.int(400, 1_500);
    say(at);
    if (random.chance(0.25)) {
      faults.push({ kind: "drain", at: at - 1, process: anyWorker, ms: 5_000, amid: "beginning" });
      continue;
    }
    const gap = random.int(20, 500);
    say(at + gap);
    faults.push({ kind: random.pick(["lossy", "laggy"]), at: at - 1, ms: gap - 1 });
    at += gap;
  }
  return { actions, faults };
}
