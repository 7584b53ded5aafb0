import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Authenticator } from "../auth/authenticator.ts";
import type { Principal } from "../auth/principal.ts";
import type { Tickets } from "../auth/tickets.ts";
import { invalidCredential } from "../auth/unauthenticated.ts";
import { type Clock, pause } from "../lib/clock.ts";
import { asBerthError } from "../lib/errors.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Beats } from "./beats.ts";
import { followQuery } from "./follow-query.ts";
import { noteRefusal } from "./note-refusal.ts";
import { letIn } from "./let-in.ts";
import { peerOf } from "./peer.ts";
import { presentedOf } from "./presented.ts";
import { shuttingDown } from "./sse.ts";
import type { EndedBy } from "./sse-connection.ts";
import type { StreamOwner, StreamSlots } from "./stream-slots.ts";
import { type SocketContext, WebSocketConnection } from "./websocket-connection.ts";
import { closeCodeOf, errorFrame } from "./websocket-frames.ts";
import {
  isAllowedOrigin,
  isOrderly,
  refuseUpgrade,
  type SocketTarget,
  targetOf,
} from "./websocket-request.ts";
import { WebSocketWire } from "./websocket-wire.ts";

export interface SocketsOptions extends SocketContext {
  readonly authenticator: Authenticator;
  readonly tickets: Tickets;
  readonly slots: StreamSlots;
  readonly beats: Beats;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** The WebSockets of this process: `/api/v1/ws` and `/api/v1/sessions/{id}/ws`. */
export interface Sockets {
  /** For the `upgrade` event of a Node server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes all of them so that their clients connect again elsewhere. Resolves when they are gone. */
  closeAll(): Promise<void>;
  readonly size: number;
}

/** Id of the subscription that a session's own WebSocket begins with. */
const ownSubscription = "events";

/** Frames of one client, and bytes of them, that may wait for an answer before no more are read. */
const maxWaiting = 32;
const maxWaitingBytes = 262_144;

/** Pieces that one message may come in: of its own making, and of the network's. */
const maxFragments = 1_024;
const maxBufferedChunks = 65_536;

/** Pings in one beat that are answered. */
const maxPings = 100;

/**
 * WebSockets are upgraded beside the request handler, which is a plain `fetch`. Browsers are not told why an upgrade was
 * refused, so but for foreign origins and unknown paths the refusal is an error frame and a close code.
 */
export function createSockets(options: SocketsOptions): Sockets {
  const { clock, settings, telemetry } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: settings.maxMessage,
    maxFragments,
    maxBufferedChunks,
    autoPong: false,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const open = new Set<OpenSocket>();
  let closing = false;

  async function serve(own: OpenSocket, request: IncomingMessage, target: SocketTarget): Promise<void> {
    const peer = peerOf(request);
    let principal: Principal | null = null;
    try {
      if (closing) throw shuttingDown();
      const known = await letIn(options.edge, {
        peer,
        kind: "read",
        identify: () => identify(options, request, target),
        onPrincipal: (found) => (principal = found),
      });
      if (known === null) throw invalidCredential();
      own.admit({ principal: known, address: peer.address });
      const connection = new WebSocketConnection(options, {
        principal: known,
        peer,
        wire: own.wire,
        sessionId: target.sessionId,
      });
      own.connect(connection);
      const { after, filter } = followQuery(target.search, { session: target.sessionId !== null });
      if (target.sessionId !== null) {
        const { sessionId } = target;
        await connection.followSession(ownSubscription, { sessionId, after, filter });
      }
    } catch (failed) {
      const thrown = await noteRefusal(options.operations, {
        thrown: failed,
        principal,
        route: "WS open",
        params: target.sessionId === null ? {} : { sessionId: target.sessionId },
        requestId: null,
        address: peer.address,
      });
      const frame = errorFrame(thrown, undefined);
      if (frame.op === "error" && frame.code === "internal") {
        telemetry.unexpectedError({ where: "http.websocket", error: thrown });
      }
      own.wire.send(frame);
      own.close("server", closeCodeOf(thrown), asBerthError(thrown).code);
    }
    own.ready();
  }

  return {
    upgrade(request, socket, head) {
      const target = targetOf(request);
      if (target === null) return refuseUpgrade(socket, "404 Not Found");
      if (!isAllowedOrigin(request, options.edge.cors)) return refuseUpgrade(socket, "403 Forbidden");
      if (!isOrderly(request, options.edge)) return refuseUpgrade(socket, "400 Bad Request");
      if (options.edge.overload.isOverloaded) return refuseUpgrade(socket, "503 Service Unavailable");
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const own = new OpenSocket(webSocket, options, () => open.delete(own));
        open.add(own);
        void serve(own, request, target);
      });
    },

    async closeAll() {
      closing = true;
      for (const own of open) {
        own.wire.send(errorFrame(shuttingDown(), undefined));
        own.close("server", 1013, "shutting_down");
      }
      const deadline = clock.monotonic() + settings.closeMs;
      while (open.size > 0 && clock.monotonic() < deadline) await pause(clock, 10);
      for (const own of open) own.cut("server");
    },

    get size() {
      return open.size;
    },
  };
}

/** A ticket in the address, or a credential in the headers. Who had the ticket made may have lost its rights since. */
async function identify(
  { authenticator, tickets }: SocketsOptions,
  request: IncomingMessage,
  { search }: SocketTarget,
): Promise<Principal> {
  const ticket = search.get("ticket");
  if (ticket === null) return authenticator.authenticate(presentedOf(request));
  const now = await authenticator.recheck(tickets.redeem(ticket));
  if (now === null) throw invalidCredential();
  return now;
}

/** One WebSocket from its upgrade to its close. */
class OpenSocket {
  readonly wire: WebSocketWire;
  readonly #socket: WebSocket;
  readonly #options: SocketsOptions;
  readonly #waiting: { readonly message: Buffer; readonly isBinary: boolean }[] = [];
  #owner: StreamOwner | null = null;
  #connection: WebSocketConnection | null = null;
  #endedBy: EndedBy = "client";
  #busy = true;
  #waitingBytes = 0;
  /** Since the last beat. */
  #pings = 0;
  /** It is told that it is cut, and has until the next beat to hear it. */
  #condemned: EndedBy | null = null;

  constructor(socket: WebSocket, options: SocketsOptions, onClosed: () => void) {
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

  connect(connection: WebSocketConnection): void {
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
