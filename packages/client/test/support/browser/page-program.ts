// What the page of the browser test runs: the SDK as a web application uses it. The test calls `sdkInPage` from outside.
import { createClient, createTranscript, type FollowedEvent, type SessionEvent } from "@berth/client";

export type Transport = "sse" | "websocket";

/** What a follower in the page has seen. */
export interface Sight {
  readonly events: readonly FollowedEvent[];
  /** All the text that was on the screen, for each block by its key, in the order in which it was shown. */
  readonly shown: readonly (readonly [key: string, text: string])[];
  /** The agent's finished words at the end. */
  readonly text: string;
  /** Times that the connection was lost. */
  readonly lost: number;
  /** How many of these came while a text was half on the screen. */
  readonly lostInText: number;
}

export interface InPage {
  /** Makes a session and follows it from its first event on. */
  begin(options: { baseUrl: string; apiKey: string; agent: string; transport: Transport }): Promise<void>;
  /** Sends a message and resolves when its run is over for the follower. */
  say(text: string): Promise<void>;
  /** Ends the follower. */
  end(): Promise<Sight>;
  /** The whole log. */
  log(): Promise<readonly SessionEvent[]>;
}

export function createInPage(): InPage {
  const ended = new AbortController();
  const transcript = createTranscript();
  const events: FollowedEvent[] = [];
  const shown: (readonly [string, string])[] = [];
  const half = new Set<string>();
  let lost = 0;
  let lostInText = 0;
  let client: ReturnType<typeof createClient> | null = null;
  let id = "";
  let following: Promise<void> = Promise.resolve();
  let noticed = Promise.withResolvers<void>();

  function take(event: FollowedEvent): void {
    events.push(event);
    for (const change of transcript.apply(event)) {
      const { block } = change;
      if (block.kind !== "text") continue;
      half.delete(block.key);
      if (change.type === "removed") continue;
      shown.push([block.key, block.text]);
      if (!block.done && block.text !== "") half.add(block.key);
    }
    noticed.resolve();
    noticed = Promise.withResolvers();
  }

  async function follow(transport: Transport): Promise<void> {
    const stream = session().events({
      transport,
      signal: ended.signal,
      onState({ status }) {
        if (status === "connected") return;
        lost += 1;
        if (half.size > 0) lostInText += 1;
      },
    });
    for await (const event of stream) take(event);
  }

  function session() {
    if (client === null) throw new Error("begin first");
    return client.session(id);
  }

  /** Resolves at the first event of the wanted kind, or rejects when the follower ends before. */
  async function until(wanted: (event: FollowedEvent) => boolean): Promise<void> {
    while (!events.some(wanted)) {
      const over = following.then(() => Promise.reject(new Error("the follower ended too early")));
      await Promise.race([noticed.promise, over]);
    }
  }

  return {
    async begin({ baseUrl, apiKey, agent, transport }) {
      // No waits between attempts, so that the next connection meets the same text.
      client = createClient({ baseUrl, apiKey, random: () => 0 });
      ({ id } = await client.sessions.create({ agent }));
      following = follow(transport);
      await until(({ type }) => type === "session.created");
    },
    async say(text) {
      const [input] = (await session().send(text)).inputs;
      await until((event) => event.type === "run.finished" && event.runId === input?.runId);
    },
    async end() {
      ended.abort();
      await following;
      const words = transcript.blocks.flatMap((block) => (block.kind === "text" ? [block.text] : []));
      return { events, shown, text: words.join("\n"), lost, lostInText };
    },
    async log() {
      const all: SessionEvent[] = [];
      for (let after: string | undefined; ;) {
        const page = await session().log({ limit: 50, ...(after !== undefined && { after }) });
        all.push(...page.items);
        if (page.next === null) return all;
        after = page.next;
      }
    },
  };
}

declare global {
  var sdkInPage: InPage | undefined;
}
globalThis.sdkInPage = createInPage();
