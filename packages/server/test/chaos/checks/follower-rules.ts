import { hashJson } from "../../../src/lib/canonical-json.ts";
import type { Checklist } from "../checklist.ts";
import { type Follower, followerRules } from "../followers/follower.ts";
import type { Exported } from "../kill-loop/settle.ts";

const forkRules = {
  prefix: "a fork shares its parent's log up to its place, and nothing after",
} as const;

/** What each follower saw, over all its connections, is the log after its cursor. */
export function checkFollowers(
  checklist: Checklist,
  followers: readonly Follower[],
  logs: ReadonlyMap<string, Exported>,
): void {
  const hashes = new Map<string, readonly string[]>();
  for (const { sessionId, seen, from, transport, connections } of followers) {
    const exported = logs.get(sessionId);
    if (exported === undefined) continue;
    let wanted = hashes.get(sessionId);
    if (wanted === undefined) hashes.set(sessionId, (wanted = exported.log.map((event) => hashJson(event))));
    const differs = seen.findIndex((hash, index) => wanted[from + index] !== hash);
    checklist.check(
      followerRules.log,
      differs === -1,
      () =>
        `${transport}, from ${from}, ${connections} connections: what it saw as ${from + differs + 1} is not in the log`,
      sessionId,
    );
  }
}

export function checkForks(checklist: Checklist, logs: ReadonlyMap<string, Exported>): void {
  for (const { entry, log } of logs.values()) {
    const parent = entry.fork === null ? undefined : logs.get(entry.fork.of);
    if (entry.fork === null || parent === undefined) continue;
    const { seq } = entry.fork;
    const differs = log
      .slice(0, seq)
      .findIndex((event, index) => withoutSession(event) !== withoutSession(parent.log[index]));
    const story = () => `event ${differs + 1} is not that of ${parent.entry.id}`;
    checklist.check(forkRules.prefix, differs === -1 && log.length > seq, story, entry.id);
    const first = log[seq];
    const own = first?.type === "session.forked" && first.data.fromSeq === seq;
    checklist.check(
      forkRules.prefix,
      own,
      () => `its first own event is ${first?.type} at ${first?.seq}`,
      entry.id,
    );
  }
}

function withoutSession(event: object | undefined): string {
  return hashJson({ ...event, sessionId: "" });
}
