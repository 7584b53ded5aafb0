import type { Random } from "../random.ts";
import { sleep } from "../sleep.ts";
import type { Conversations } from "./conversations.ts";
import type { CuttingProxy } from "./cutting-proxy.ts";

export interface Cutting {
  readonly proxy: CuttingProxy;
  readonly random: Random;
  readonly conversations: Conversations;
  /** Reconnects after which it is enough. */
  readonly wanted: number;
  readonly say: (line: string) => void;
}

export interface Cuts {
  readonly resets: number;
  readonly within: number;
  readonly seconds: number;
}

/** Cuts in a second, when there are enough connections; less is a break for each connection every two thirds of a second. */
const mostPerSecond = 300;
const mostPerConnection = 1.5;
/** Cuts at one moment, should this process have come late to it. */
const mostAtOnce = 20;
/** The share of connections that has to be there for the next to be cut: otherwise the same few would be cut before they said anything. */
const enoughThere = 0.6;
const tellEveryMs = 10_000;

/** Reconnects that brought something. */
export function reconnectsOf({ all }: Conversations): number {
  let sum = 0;
  for (const { followers } of all) for (const { resumed } of followers) sum += resumed;
  return sum;
}

/** Cuts one connection after the other until the followers together have connected again often enough. */
export async function cutUntilEnough(cutting: Cutting): Promise<Cuts> {
  const { random, conversations, wanted } = cutting;
  const perSecond = Math.min(mostPerSecond, conversations.connections * mostPerConnection);
  const began = performance.now();
  // As much as a second of silence for each cut, should the followers not come back.
  const deadline = began + wanted * 1_000;
  const cuts = { resets: 0, within: 0 };
  let [told, before, due] = [began, began, 0];
  for (;;) {
    const now = performance.now();
    const done = reconnectsOf(conversations);
    const seconds = (now - began) / 1_000;
    if (done >= wanted || now >= deadline) return { ...cuts, seconds };
    if (now >= told + tellEveryMs) {
      tell(cutting, { done, seconds });
      told = now;
    }
    due = Math.min(mostAtOnce, due + ((now - before) / 1_000) * perSecond);
    before = now;
    for (; due >= 1; due--) cutOne(cutting, cuts);
    await sleep(random.int(1, 10));
  }
}

function cutOne({ proxy, random, conversations }: Cutting, cuts: { resets: number; within: number }): void {
  if (proxy.size < conversations.connections * enoughThere) return;
  const choice = random.int(0, 1_000_000);
  if (random.chance(0.3)) cuts.within += Number(proxy.cutWithin(choice));
  else cuts.resets += Number(proxy.reset(choice));
}

function tell({ say, wanted }: Cutting, { done, seconds }: { done: number; seconds: number }): void {
  const rate = done / seconds;
  const left = rate > 0 ? `${Math.ceil((wanted - done) / rate / 60)} minutes left` : "nobody has come back";
  say(`${done} of ${wanted} reconnects, ${Math.round(rate)} a second, ${left}`);
}
