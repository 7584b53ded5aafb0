import type { WebSocket } from "ws";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Beats } from "./beats.ts";
import type { EndedBy } from "./sse-connection.ts";
import type { StreamOwner, StreamSlots } from "./stream-slots.ts";
import type { StreamSettings } from "./stream-settings.ts";
import { WebSocketWire } from "./websocket-wire.ts";

export interface OpenSocketOptions {
  readonly slots: StreamSlots;
  readonly beats: Beats;
  readonly telemetry: Telemetry;
  readonly settings: StreamSettings;
}

/** What answers a socket's client. */
export interface SocketConnection {
  receive(message: Buffer, isBinary: boolean): Promise<void>;
  /** The client is gone, or the server stops. Idempotent. */
  stop(): void;
}

/** Frames of one client, and bytes of them, that may wait for an answer before no more are read. */
const maxWaiting = 32;
const maxWaitingBytes = 262_144;

/** Pings in one beat that are answered. */
const maxPings = 100;

/** One WebSocket from its upgrade to its close. */
export class OpenSocket {
  readonly wire: WebSocketWire;
  readonly #socket: WebSocket;
  readonly #options: OpenSocketOptions;
  readonly #waiting: { readonly message: Buffer; readonly isBinary: boolean }[] = [];
  #owner: StreamOwner | null = null;
  #connection: SocketConnection | null = null;
  #endedBy: EndedBy = "client";
  #busy = true;
  #waitingBytes = 0;
  /** Since the last beat. */
  #pings = 0;
  /** It is told that it is cut, and has until the next beat to hear it. */
  #condemned: EndedBy | null = null;

  constructor(socket: WebSocket, options: OpenSocketOptions, onClosed: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.wire = new WebSocketWire(socket, options.settings);
    socket.on("message", (message: Buffer, isBinary) => this.#receive(message, isBinary));
    socket.on("ping", (data: Buffer) => this.#answerPing(data));
    socket.on("pong", () => this.wire.heard());
    // A socket that fails closes too, with the code that says why.
    socket.on("error", () => {});
    socket.on("close", () => {
      onClosed();
      this.#closed();
    });
    options.beats.add(this);
    // Of a caller that is not known yet nothing is read.
    socket.pause();
  }

  /** Throws `too_many_streams`. */
  admit(owner: StreamOwner): void {
    this.#options.slots.take(owner);
    this.#owner = owner;
    this.#options.telemetry.streamOpened({ transport: "websocket", orgId: owner.principal.orgId });
    // It was closed while the caller was identified: nobody will give the slot back but we.
    if (this.#socket.readyState === this.#socket.CLOSED) this.#closed();
  }

  connect(connection: SocketConnection): void {
    this.#connection = connection;
    if (this.#owner === null) connection.stop();
  }

  /** What the client has sent meanwhile is answered from now on. */
  ready(): void {
    void this.#answerWaiting();
  }

  beat(): void {
    this.#pings = 0;
    if (this.#condemned !== null) return this.cut(this.#condemned);
    const state = this.wire.beat();
    if (state !== "alive") this.cut(state === "slow" ? "slow" : "client");
  }

  close(by: EndedBy, code: number, reason: string): void {
    this.#endedBy = by;
    this.#connection?.stop();
    this.wire.close(code, reason);
  }

  cut(by: EndedBy): void {
    this.#endedBy = by;
    this.wire.cut();
  }

  /** Ends a client that asks and does not listen. */
  #condemn(by: EndedBy, code: number, reason: string): void {
    if (this.#condemned !== null) return;
    this.#condemned = by;
    this.#waiting.length = 0;
    this.#socket.pause();
    this.close(by, code, reason);
  }

  #answerPing(data: Buffer): void {
    this.#pings += 1;
    if (this.#pings > maxPings) return this.#condemn("server", 1008, "too_many_pings");
    if (this.#isDeaf()) return this.#condemn("slow", 1013, "slow");
    if (this.wire.isOpen) this.#socket.pong(data);
  }

  #isDeaf(): boolean {
    return this.wire.unsent > this.#options.settings.maxUnsentAnswers;
  }

  #receive(message: Buffer, isBinary: boolean): void {
    if (this.#condemned !== null) return;
    this.wire.heard();
    this.#waiting.push({ message, isBinary });
    this.#waitingBytes += message.length;
    if (this.#waiting.length >= maxWaiting || this.#waitingBytes >= maxWaitingBytes) this.#socket.pause();
    if (!this.#busy) void this.#answerWaiting();
  }

  async #answerWaiting(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#waitingBytes -= next.message.length;
      if (this.#isDeaf()) this.#condemn("slow", 1013, "slow");
      else await this.#connection?.receive(next.message, next.isBinary);
    }
    this.#busy = false;
    if (this.#socket.isPaused && this.#condemned === null) this.#socket.resume();
  }

  #closed(): void {
    const { beats, slots, telemetry } = this.#options;
    beats.remove(this);
    this.#connection?.stop();
    this.#waiting.length = 0;
    if (this.#owner === null) return;
    slots.giveBack(this.#owner);
    const { orgId } = this.#owner.principal;
    this.#owner = null;
    telemetry.streamClosed({ transport: "websocket", by: this.#endedBy, orgId });
  }
}
