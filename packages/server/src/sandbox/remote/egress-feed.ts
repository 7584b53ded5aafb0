import { randomBytes } from "node:crypto";
import type { EgressListener } from "../egress-decision.ts";
import { type EgressCursor, type EgressItem, type EgressNews, plainDecision } from "../protocol/egress.ts";
import { hostCalls } from "../protocol/host-calls.ts";
import { failureOf, HostFailure } from "./failures.ts";
import type { HostClient } from "./host-client.ts";

/** Calls of one reading: what a host has beyond four full answers waits for the next one. */
const mostCalls = 5;

/** Fetches what sandboxes of one host asked for. */
export interface EgressFeed {
  /** Resolves when what the host had at the time of the call was fetched, up to 2,500 decisions, or could not be. Never rejects. */
  read(): Promise<void>;
  /** Resolves when nothing is being fetched. */
  settled(): Promise<void>;
}

export function createEgressFeed(options: {
  readonly client: HostClient;
  readonly deployment: string;
  readonly listener: EgressListener;
}): EgressFeed {
  const { client, deployment, listener } = options;
  const host = client.address.name;
  const reader = randomBytes(16).toString("hex");
  let cursor: EgressCursor | null = null;
  let failing = false;
  let running: Promise<void> | null = null;
  let following: Promise<void> | null = null;

  /** False: there is no more, and the host knows that all of it came. */
  async function readOnce(): Promise<boolean> {
    const args = { deployment, reader, ...(cursor !== null && { after: cursor }) };
    const news = await client.call(hostCalls.egress, { args, id: "", deployment });
    checkNews(host, cursor, news);
    const own = await ownItems(listener, host, news.items);
    // Nothing waits from here on: what was handed on is never fetched again.
    cursor = news.next ?? cursor;
    for (const { sandboxId, ...decision } of own) listener.decided(sandboxId, plainDecision(decision));
    const foreign = news.items.length - own.length;
    if (news.dropped > 0) listener.lost({ host, why: "dropped", count: news.dropped });
    if (foreign > 0) listener.lost({ host, why: "foreign", count: foreign });
    return news.items.length > 0;
  }

  async function readAll(): Promise<void> {
    try {
      for (let calls = 0; calls < mostCalls && (await readOnce()); calls++);
      failing = false;
    } catch (thrown) {
      if (client.closed.aborted || failing) return;
      failing = true;
      listener.failed({ host, error: failureOf(host, thrown) });
    }
  }

  function read(): Promise<void> {
    if (running === null) {
      running = readAll().finally(() => (running = null));
      return running;
    }
    // What is being fetched may be older than this call.
    following ??= running.then(() => {
      following = null;
      return read();
    });
    return following;
  }

  async function settled(): Promise<void> {
    const last = following ?? running;
    if (last === null) return;
    await last;
    await settled();
  }

  return { read, settled };
}

/** Those of sandboxes that the server has on this host; what a host tells of others is not its business. */
async function ownItems(
  { isOn }: EgressListener,
  host: string,
  items: readonly EgressItem[],
): Promise<readonly EgressItem[]> {
  const own = new Map<string, boolean>();
  for (const { sandboxId } of items) {
    if (!own.has(sandboxId)) own.set(sandboxId, await isOn(sandboxId, host));
  }
  return items.filter(({ sandboxId }) => own.get(sandboxId) === true);
}

/** A cursor that stays or goes back while decisions come would bring the same ones for ever. Throws HostFailure. */
function checkNews(host: string, cursor: EgressCursor | null, { next, dropped, items }: EgressNews): void {
  const from = cursor !== null && cursor.journal === next?.journal ? cursor.number : 0;
  const told = items.length + dropped;
  if (next === null ? told === 0 : next.number >= from + told) return;
  throw new HostFailure("wrong", "counts the decisions of egress wrongly");
}
