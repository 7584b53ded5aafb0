import { type Clock, systemClock } from "../../lib/clock.ts";
import type { Presence } from "../presence.ts";

interface Member {
  readonly data: unknown;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Who is around, within one process. A group forgets its dead when it is next used. */
export function createInProcessPresence({ clock = systemClock }: { readonly clock?: Clock } = {}): Presence {
  const groups = new Map<string, Map<string, Member>>();

  function living(group: string): Map<string, Member> {
    const members = groups.get(group) ?? new Map<string, Member>();
    const now = clock.monotonic();
    for (const [id, member] of members) if (member.until <= now) members.delete(id);
    if (members.size === 0) groups.delete(group);
    return members;
  }

  return {
    async announce(group, id, data, ttlMs) {
      groups.set(group, living(group).set(id, { data, until: clock.monotonic() + ttlMs }));
    },
    async leave(group, id) {
      const members = living(group);
      if (members.delete(id) && members.size === 0) groups.delete(group);
    },
    async list(group) {
      return [...living(group)].map(([id, { data }]) => ({ id, data }));
    },
    async close() {
      groups.clear();
    },
  };
}
