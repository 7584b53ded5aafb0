// What the page of the browser test runs: the SDK as a web application uses it. The test calls `sdkInPage` from outside.
import { createClient, type FollowedEvent, type SessionEvent } from "@berth/client";
import { createScreen, type Sight } from "./screen.ts";

export type Transport = "sse" | "websocket";

interface InPage {
  /** Makes a session and follows it from its first event on. */
  begin(options: { baseUrl: string; apiKey: string; agent: string; transport: Transport }): Promise<void>;
  /** Sends a message and resolves when its run is over for the follower. */
  say(text: string): Promise<void>;
  /** Ends the follower. */
  end(): Promise<Sight>;
  /** The whole log. */
  log(): Promise<readonly SessionEvent[]>;
}

function createInPage(): InPage {
  const ended = new AbortController();
  const screen = createScreen();
  let client: ReturnType<typeof createClient> | null = null;
  let id = "";
  let following: Promise<void> = Promise.resolve();
  let noticed = Promise.withResolvers<void>();

  function session() {
    if (client === null) throw new Error("begin first");
    return client.session(id);
  }

  async function follow(transport: Transport): Promise<void> {
    const onState = ({ status }: { status: string }) => {
      if (status !== "connected") screen.lose();
    };
    for await (const event of session().events({ transport, signal: ended.signal, onState })) {
      screen.take(event);
      noticed.resolve();
      noticed = Promise.withResolvers();
    }
  }

  /** Resolves when such an event has come; rejects when the follower ends before. */
  async function until(wanted: (event: FollowedEvent) => boolean): Promise<void> {
    while (!screen.events.some(wanted)) {
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
      return screen.sight();
    },
    async log() {
      const all: SessionEvent[] = [];
      for (let after: string | null | undefined; after !== null;) {
        const page = await session().log({ limit: 50, ...(after !== undefined && { after }) });
        all.push(...page.items);
        after = page.next;
      }
      return all;
    },
  };
}

declare global {
  var sdkInPage: InPage | undefined;
}
globalThis.sdkInPage = createInPage();
