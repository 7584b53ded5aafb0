import { type Clock, every, type TimerHandle } from "../lib/clock.ts";
import { beatMs } from "./stream-settings.ts";

export interface Beating {
  /** Called every `beatMs`. */
  beat(): void;
}

/** One timer for all open connections: a thousand of them must not have a thousand timers. */
export interface Beats {
  add(member: Beating): void;
  remove(member: Beating): void;
}

export function createBeats(clock: Clock): Beats {
  const members = new Set<Beating>();
  let ticker: TimerHandle | null = null;
  return {
    add(member) {
      members.add(member);
      ticker ??= every(clock, beatMs, () => {
        for (const each of members) each.beat();
      });
    },
    remove(member) {
      members.delete(member);
      if (members.size > 0) return;
      ticker?.cancel();
      ticker = null;
    },
  };
}
