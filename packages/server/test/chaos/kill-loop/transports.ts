import type { OpenFollow } from "../followers/frame.ts";
import { SharedSocket } from "../followers/shared-socket.ts";
import { followSocket } from "../followers/socket.ts";
import { followSse } from "../followers/sse.ts";
import type { Random } from "../random.ts";
import { sleep } from "../sleep.ts";

/** The server lets one caller have 20 streams; connections that are just being replaced count for a moment. */
const ownConnections = 12;

interface Transport {
  readonly name: string;
  readonly open: OpenFollow;
  /** Gives its place to another. */
  readonly give: () => void;
}

/** Deals out connections: streams of their own as long as there are places, and two shared WebSockets for the rest. */
export class Transports {
  readonly #shared = [new SharedSocket(), new SharedSocket()];
  #own = 0;

  take(random: Random): Transport {
    if (this.#own >= ownConnections || random.chance(0.3)) {
      const shared = random.pick(this.#shared);
      return { name: "shared websocket", open: shared.follow, give: () => undefined };
    }
    this.#own += 1;
    let given = false;
    const give = () => {
      if (!given) this.#own -= 1;
      given = true;
    };
    if (random.chance(0.5)) return { name: "sse", open: followSse, give };
    return { name: "websocket", open: followSocket, give };
  }

  /** Cuts the shared connections now and then. */
  async disturb(random: Random, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(random.int(300, 3_000), signal);
      random.pick(this.#shared).cut();
    }
  }

  close(): void {
    for (const shared of this.#shared) shared.cut();
  }
}
