import type { ClientFrame, ServerFrame } from "@berth/contract";
import type { WebSocket } from "ws";
import type { Door } from "../../support/server/api.ts";
import type { Following, Frame, OpenFollow } from "./frame.ts";
import { Inbox } from "./inbox.ts";
import { frameOf, openSocket } from "./socket.ts";

interface Shared {
  readonly url: string;
  readonly socket: WebSocket;
  readonly open: Promise<boolean>;
  readonly inboxes: Map<string, Inbox<ServerFrame>>;
}

/** Many sessions followed over one multiplexed WebSocket; a new one is opened when it breaks. */
export class SharedSocket {
  #shared: Shared | null = null;
  #subscriptions = 0;

  readonly follow: OpenFollow = (door, following) => this.#follow(door, following);

  /** Cuts the connection under everybody who follows over it. */
  cut(): void {
    this.#shared?.socket.terminate();
  }

  async *#follow(door: Door, { sessionId, after, signal }: Following): AsyncGenerator<Frame> {
    const shared = this.#connect(door);
    if (!(await shared.open) || signal.aborted) return;
    const id = `s${++this.#subscriptions}`;
    const inbox = new Inbox<ServerFrame>();
    shared.inboxes.set(id, inbox);
    const cut = () => inbox.close();
    signal.addEventListener("abort", cut, { once: true });
    try {
      tell(shared, { op: "subscribe", id, sessionId, ...(after !== null && { after }) });
      for await (const message of inbox.read()) {
        const frame = frameOf(message);
        if (frame !== null) yield frame;
        if (frame?.kind === "archived") return;
      }
    } finally {
      signal.removeEventListener("abort", cut);
      shared.inboxes.delete(id);
      tell(shared, { op: "unsubscribe", id });
    }
  }

  #connect(door: Door): Shared {
    const before = this.#shared;
    if (before !== null && before.url === door.url && before.socket.readyState <= 1) return before;
    before?.socket.terminate();
    const { socket, inbox } = openSocket(door, "/ws");
    const inboxes = new Map<string, Inbox<ServerFrame>>();
    const open = new Promise<boolean>((resolve) => {
      socket.once("open", () => resolve(true));
      socket.once("close", () => resolve(false));
    });
    const shared = { url: door.url, socket, open, inboxes };
    this.#shared = shared;
    void distribute(inbox, inboxes);
    return shared;
  }
}

async function distribute(inbox: Inbox<ServerFrame>, inboxes: Shared["inboxes"]): Promise<void> {
  try {
    for await (const message of inbox.read()) {
      const { id } = message;
      if (id !== undefined) inboxes.get(id)?.put(message);
      else for (const each of inboxes.values()) each.put(message);
    }
  } catch {
    // The connection broke: each of its followers connects again.
  }
  for (const each of inboxes.values()) each.close();
}

function tell({ socket }: Shared, frame: ClientFrame): void {
  if (socket.readyState === 1) socket.send(JSON.stringify(frame));
}
