import { bodyOf } from "../../support/server/api.ts";
import { sleep } from "../sleep.ts";
import type { Activity } from "./activities/activity.ts";
import { keepingActivities } from "./activities/housekeeping.ts";
import { interruptionActivities } from "./activities/interruptions.ts";
import { travelActivities } from "./activities/time-travel.ts";
import { turnActivities } from "./activities/turns.ts";
import type { AgentKind } from "./agent-kind.ts";
import type { Fates } from "./fates.ts";
import { Talk } from "./talk.ts";
import type { World } from "./world.ts";

const activities: readonly Activity[] = [
  ...turnActivities,
  ...interruptionActivities,
  ...travelActivities,
  ...keepingActivities,
];

const kinds: readonly AgentKind[] = [
  "auto",
  "auto",
  "careful",
  "auto",
  "hasty",
  "mocked",
  "narrow",
  "careful",
];

/** How many activities of each kind were done. */
export type Done = Map<string, number>;

/** Makes a session and keeps doing things with it until the world stops. A few of its turns in it begins anew with another one. */
export async function actor(
  world: World,
  fates: Fates,
  { index, done }: { index: number; done: Done },
): Promise<void> {
  const kind = kinds[index % kinds.length] ?? "auto";
  while (!world.stopping.aborted) {
    const talk = await begin(world, kind);
    const { random } = talk;
    for (let left = random.int(8, 16); left > 0 && !world.stopping.aborted; left--) {
      const activity = choose(talk, fates);
      if (activity === null) break;
      if (random.chance(0.25)) talk.disturb();
      if (random.chance(0.1)) talk.followFrom(random.int(0, talk.log.at(-1)?.seq ?? 0));
      await activity.run(talk);
      done.set(activity.name, (done.get(activity.name) ?? 0) + 1);
    }
    await talk.seenUpTo(talk.log.at(-1)?.seq ?? 0, 20_000);
    await talk.unfollow();
  }
}

async function begin(world: World, kind: AgentKind): Promise<Talk> {
  const { reply } = await world.caller.call({ method: "POST", path: "/sessions", body: { agent: kind } });
  const { id } = bodyOf<{ id: string }>(reply, 201);
  const talk = new Talk(world, { id, kind });
  talk.followFrom(0);
  return talk;
}

/** By weight, leaning towards what passes the failpoint that is armed. */
function choose(talk: Talk, fates: Fates): Activity | null {
  const { random, kind } = talk;
  const fitting = activities.filter((activity) => activity.kinds?.includes(kind) ?? true);
  const { armed } = fates;
  const leading = armed === null ? [] : fitting.filter(({ reaches }) => reaches?.includes(armed));
  const among = leading.length > 0 && random.chance(0.6) ? leading : fitting;
  if (among.length === 0) return null;
  return random.weighted(among.map((activity) => [activity.weight, activity] as const));
}

/** Makes versions of an agent that nobody uses, for the failpoint after it. */
export async function registrar(world: World, fates: Fates): Promise<void> {
  const random = world.random.branch("registrar");
  const definition = { name: "spare", model: "scripted/echo" };
  const made = await world.caller.call({ method: "POST", path: "/agents", body: definition });
  const { id } = bodyOf<{ id: string }>(made.reply, 201);
  while (!world.stopping.aborted) {
    await sleep(fates.armed === "store.agent.after-commit" ? 50 : random.int(500, 3_000), world.stopping);
    const description = world.ledger.word("version");
    await world.caller.call({ method: "PUT", path: `/agents/${id}`, body: { ...definition, description } });
  }
}
