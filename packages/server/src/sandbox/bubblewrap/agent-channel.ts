import { charge, maxChunkBytes, windowBytes } from "./agent/frames.ts";
import type { AgentMessage, Refusal } from "./agent-messages.ts";

/** What happens on a channel, in this order: `started` or `failed`, then data, then the end. `lost` can come at any time; nothing comes after it. */
export interface ChannelListener {
  started(): void;
  failed(code: Refusal): void;
  /** A part of what was read, to be used or copied at once. */
  data(chunk: Buffer): void;
  /** Its other side gives no more data. */
  eof(): void;
  end(end: { readonly code: number | null; readonly signal: string | null; readonly left: number }): void;
  lost(): void;
}

export interface ChannelOutlet {
  data(chunk: Uint8Array): void;
  eof(): void;
  credit(bytes: number): void;
}

/** Thrown for what an agent must not send. */
export class ProtocolError extends Error {}

/**
 * The host's side of one channel: checks that what the agent sends comes in order and within the window, and holds what is
 * sent to the agent to its window.
 */
export class AgentChannel {
  readonly #listener: ChannelListener;
  readonly #outlet: ChannelOutlet;
  #state: "opening" | "open" | "closed" = "opening";
  #eof = false;
  /** What the agent may still send. */
  #incoming = windowBytes;
  /** What may still be sent to the agent. */
  #outgoing = windowBytes;
  /** Used and not credited yet. */
  #owed = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(listener: ChannelListener, outlet: ChannelOutlet) {
    this.#listener = listener;
    this.#outlet = outlet;
  }

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Sends bytes, as soon as there is room for each part of them; resolves when all were sent or the channel is closed. */
  async send(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += maxChunkBytes) {
      const chunk = data.subarray(at, at + maxChunkBytes);
      while (this.#outgoing < charge(chunk.length) && !this.closed) {
        await new Promise<void>((resolve) => void this.#waiting.push(resolve));
      }
      if (this.closed) return;
      this.#outgoing -= charge(chunk.length);
      this.#outlet.data(chunk);
    }
  }

  sendEof(): void {
    if (!this.closed) this.#outlet.eof();
  }

  /** So much of what came was used; the agent may send that much more. Told in quarters of the window: most commands print less. */
  used(chargedBytes: number): void {
    this.#owed += chargedBytes;
    if (this.closed || this.#owed < windowBytes / 4) return;
    this.#incoming += this.#owed;
    this.#outlet.credit(this.#owed);
    this.#owed = 0;
  }

  /** The agent's message about this channel. Returns true when that was the last one. */
  message(message: Extract<AgentMessage, { type: "started" | "failed" | "end" }>): boolean {
    if (message.type === "started") {
      this.#expect("opening");
      this.#state = "open";
      this.#listener.started();
      return false;
    }
    this.#expect(message.type === "end" ? "open" : "opening");
    this.#close();
    if (message.type === "end") this.#listener.end(message);
    else this.#listener.failed(message.code);
    return true;
  }

  data(chunk: Buffer): void {
    this.#expect("open");
    this.#incoming -= charge(chunk.length);
    if (chunk.length === 0 || chunk.length > maxChunkBytes || this.#incoming < 0 || this.#eof) {
      throw new ProtocolError("data that it may not send");
    }
    this.#listener.data(chunk);
  }

  eof(): void {
    this.#expect("open");
    if (this.#eof) throw new ProtocolError("a second end of data");
    this.#eof = true;
    this.#listener.eof();
  }

  credit(bytes: number): void {
    this.#expect("open");
    this.#outgoing += bytes;
    if (bytes === 0 || this.#outgoing > windowBytes) throw new ProtocolError("a credit that nobody owes");
    for (const go of this.#waiting.splice(0)) go();
  }

  lost(): void {
    if (this.closed) return;
    this.#close();
    this.#listener.lost();
  }

  #expect(state: "opening" | "open"): void {
    if (this.#state !== state) throw new ProtocolError("something out of order");
  }

  #close(): void {
    this.#state = "closed";
    for (const go of this.#waiting.splice(0)) go();
  }
}
