import type { Clock, TimerHandle } from "../../lib/clock.ts";
import type { ControlGroup } from "./control-groups.ts";

/** Milliseconds between looks at sandboxes that are at work. A look reads one file of the kernel for each (0.01 ms). */
const lookMs = 50;
/** Milliseconds between looks at all, for those in which something goes on that no command has just begun. */
const restMs = 1_000;
/** Of one processor: who takes more gives way, who takes less than the rest share is not looked at so often. */
const greedyShare = 0.3;
const restShare = 0.01;
/** What one look weighs beside those before it: a program that only begins takes much for one look, and is not greedy. */
const lookWeight = 0.4;

interface GivingWayOptions {
  readonly clock: Clock;
  /** Those of all living sandboxes. */
  readonly groups: () => readonly ControlGroup[];
  /** Told once; nobody gives way from then on. */
  readonly onError: (error: unknown) => void;
}

export interface GivingWay {
  /** A command begins in it. */
  stir(group: ControlGroup): void;
  cancel(): void;
}

interface Use {
  usedMs: number;
  at: number;
  /** Of one processor, lately. */
  share: number;
  givesWay: boolean;
}

/**
 * Has sandboxes that take much of the processors run behind those that take little, as long as both want them at once. Nobody gets less than
 * the greedy share for it: whoever does is not greedy. Nothing is taken away where nobody else wants it. On two processors a hostile sandbox made
 * the commands of 20 neighbours take 2.8 times as long (p95), and 1.5 times like this; with looks every 100 ms it were 2.0 times.
 */
export function letGreedyGiveWay({ clock, groups, onError }: GivingWayOptions): GivingWay {
  const uses = new Map<ControlGroup, Use>();
  let awake = new Set<ControlGroup>();
  let lookedAtAll = clock.monotonic();
  let cancelled = false;
  let timer: TimerHandle;

  function lookAt(group: ControlGroup, now: number): void {
    const usedMs = group.usedMs();
    const before = usedMs === null ? undefined : uses.get(group);
    if (usedMs === null) uses.delete(group);
    else if (before === undefined) uses.set(group, { usedMs, at: now, share: 0, givesWay: false });
    if (usedMs === null || before === undefined) return void awake.delete(group);
    if (now <= before.at) return;
    const last = (usedMs - before.usedMs) / (now - before.at);
    // By the time that it tells of: a command that has just begun may be looked at a moment later.
    const weight = 1 - (1 - lookWeight) ** ((now - before.at) / lookMs);
    before.share += weight * (last - before.share);
    before.usedMs = usedMs;
    before.at = now;
    const greedy = before.share > greedyShare;
    if (greedy !== before.givesWay) group.giveWay(greedy);
    before.givesWay = greedy;
    if (greedy || last > restShare || before.share > restShare) awake.add(group);
    else awake.delete(group);
  }

  function look(): void {
    const now = clock.monotonic();
    const all = now - lookedAtAll >= restMs ? groups() : null;
    if (all !== null) {
      lookedAtAll = now;
      const living = new Set(all);
      for (const group of uses.keys()) if (!living.has(group)) uses.delete(group);
      awake = new Set([...awake].filter((group) => living.has(group)));
    }
    for (const group of all ?? [...awake]) lookAt(group, now);
  }

  function schedule(): void {
    timer = clock.after(awake.size > 0 ? lookMs : restMs, () => {
      guard(look);
      if (!cancelled) schedule();
    });
  }

  function guard(call: () => void): void {
    if (cancelled) return;
    try {
      call();
    } catch (thrown) {
      cancel();
      onError(thrown);
    }
  }

  function cancel(): void {
    cancelled = true;
    timer.cancel();
  }

  schedule();
  return {
    stir: (group) =>
      guard(() => {
        if (awake.has(group)) return;
        const usedMs = group.usedMs();
        if (usedMs === null) return;
        // From here on: what it took in the rest before says nothing.
        const before = uses.get(group) ?? { share: 0, givesWay: false };
        uses.set(group, { ...before, usedMs, at: clock.monotonic() });
        awake.add(group);
        if (awake.size > 1) return;
        timer.cancel();
        schedule();
      }),
    cancel,
  };
}
