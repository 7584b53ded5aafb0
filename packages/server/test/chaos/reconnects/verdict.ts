import type { SessionEvent } from "@berth/contract";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import { type Door, send } from "../../support/server/api.ts";
import type { Checklist } from "../checklist.ts";
import { type Follower, followerRules } from "../followers/follower.ts";
import { until } from "../sleep.ts";
import type { Conversation } from "./conversations.ts";

const reconnectRules = {
  lost: "0 events are lost",
  repeated: "0 events are repeated",
  texts: "texts put together from deltas are those of the log",
  often: "every kind of connection was cut, a good share in the middle of texts",
} as const;

/** The least share of reconnects that follow a break in the middle of a text. */
const leastInText = 0.25;

/** Compares what each follower saw over all its connections with the whole log. */
export async function compare(
  checklist: Checklist,
  door: Door,
  { id, followers }: Conversation,
): Promise<void> {
  const exported = await send(door, { method: "GET", path: `/sessions/${id}/export` });
  const lines = Buffer.from(exported.bytes).toString("utf8").trimEnd().split("\n");
  const log = lines.map((line) => JSON.parse(line) as SessionEvent);
  await until(() => followers.every(({ seq }) => seq >= log.length), 15_000);
  const hashes = log.map((event) => hashJson(event));
  for (const follower of followers) {
    await follower.stop();
    const { seen, transport, texts } = follower;
    const distinct = new Set(seen);
    const missing = hashes.filter((hash) => !distinct.has(hash)).length;
    checklist.check(
      reconnectRules.lost,
      missing === 0,
      () => `${transport} lost ${missing} of ${log.length}`,
      id,
    );
    const repeated = seen.length - distinct.size;
    checklist.check(reconnectRules.repeated, repeated === 0, () => `${transport} saw ${repeated} twice`, id);
    const same = seen.length === hashes.length && seen.every((hash, index) => hash === hashes[index]);
    checklist.check(followerRules.log, same, () => `${transport} saw another order`, id);
    // One server, one attempt: nothing may ever be shown that is not in the log.
    const { replaced } = texts.tally;
    checklist.check(
      reconnectRules.texts,
      replaced === 0,
      () => `${transport} showed ${replaced} other texts`,
      id,
    );
  }
}

/** What each kind of connection went through, for people; and that each was cut as it had to be. */
export function tellByTransport(checklist: Checklist, all: readonly Follower[]): readonly string[] {
  const byTransport = Map.groupBy(all, ({ transport }) => transport);
  return [...byTransport].map(([transport, of]) => {
    const sum = (read: (follower: Follower) => number) => of.reduce((total, each) => total + read(each), 0);
    const again = sum(({ resumed }) => resumed);
    const inText = sum(({ breaksInText }) => breaksInText);
    checklist.check(
      reconnectRules.often,
      again > 0 && inText >= again * leastInText,
      () => `${transport}: ${again}, ${inText} in texts`,
    );
    const whole = sum(({ texts }) => texts.tally.whole);
    const beginnings = sum(({ texts }) => texts.tally.beginnings);
    const deltas = sum(({ texts }) => texts.tally.deltas);
    const events = sum(({ seen }) => seen.length);
    return [
      `${transport.padEnd(18)}${of.length} followers, ${again} reconnects, ${inText} breaks in the middle of a text`,
      `${events} events, ${deltas} pieces of text; ${whole} texts whole from pieces, ${beginnings} finished by the log`,
    ].join("; ");
  });
}
