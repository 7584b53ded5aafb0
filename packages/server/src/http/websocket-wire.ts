import type { ServerFrame } from "@berth/contract";
import type { WebSocket } from "ws";
import { beatMs, type StreamSettings } from "./stream-settings.ts";

/** One WebSocket as what it sends on: frames, and how much of them the client has not taken. */
export class WebSocketWire {
  readonly #socket: WebSocket;
  readonly #settings: StreamSettings;
  #beats = 0;
  /** Pings since the client was last heard. */
  #unanswered = 0;
  /** Beats since the client had last taken all. */
  #stuck = 0;

  constructor(socket: WebSocket, settings: StreamSettings) {
    this.#socket = socket;
    this.#settings = settings;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  send(frame: ServerFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string): void {
    if (this.isOpen) this.#socket.send(text);
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.isOpen) this.#socket.send(bytes, { binary: true });
  }

  /** Calls once, later, when all that was sent so far is taken. */
  afterTaken(call: () => void): void {
    if (!this.isOpen) return;
    this.#socket.ping("", false, () => {
      this.#stuck = 0;
      call();
    });
  }

  /** The client was heard. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** Pings in time. `mute`: it did not answer; `slow`: it takes nothing. Who is told so has to cut it. */
  beat(): "alive" | "mute" | "slow" {
    this.#beats += 1;
    this.#stuck = this.unsent === 0 ? 0 : this.#stuck + 1;
    if (this.#stuck * beatMs >= this.#settings.drainMs) return "slow";
    if ((this.#beats * beatMs) % this.#settings.pingMs !== 0) return "alive";
    if (this.#unanswered >= 2) return "mute";
    this.#unanswered += 1;
    if (this.isOpen) this.#socket.ping();
    return "alive";
  }

  close(code: number, reason: string): void {
    // A reason has at most 123 bytes.
    this.#socket.close(code, Buffer.from(reason).subarray(0, 123));
  }

  cut(): void {
    this.#socket.terminate();
  }
}
