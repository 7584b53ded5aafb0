import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Authenticator } from "../auth/authenticator.ts";
import type { Principal } from "../auth/principal.ts";
import type { Tickets } from "../auth/tickets.ts";
import { invalidCredential } from "../auth/unauthenticated.ts";
import type { Peer } from "../auth/peer.ts";
import { type Clock, pause } from "../lib/clock.ts";
import { asBerthError, type BerthError } from "../lib/errors.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Beats } from "./beats.ts";
import { followQuery } from "./follow-query.ts";
import { noteRefusal } from "./note-refusal.ts";
import { letIn } from "./let-in.ts";
import { OpenSocket } from "./open-socket.ts";
import { peerOf } from "./peer.ts";
import { presentedOf } from "./presented.ts";
import { shuttingDown } from "./sse.ts";
import type { StreamSlots } from "./stream-slots.ts";
import type { StreamWatch } from "./stream-watch.ts";
import { type SocketContext, WebSocketConnection } from "./websocket-connection.ts";
import { closeCodeOf, errorFrame } from "./websocket-frames.ts";
import { refusalOf, refuseUpgrade, type SocketTarget, targetOf } from "./websocket-request.ts";

export interface SocketsOptions extends SocketContext {
  readonly authenticator: Authenticator;
  readonly tickets: Tickets;
  readonly slots: StreamSlots;
  readonly beats: Beats;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly watch: Pick<StreamWatch, "add">;
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

/** Pieces that one message may come in: of its own making, and of the network's. */
const maxFragments = 1_024;
const maxBufferedChunks = 65_536;

/**
 * WebSockets are upgraded beside the request handler, which is a plain `fetch`. Browsers are not told why an upgrade was
 * refused, so but for foreign origins and unknown paths the refusal is an error frame and a close code.
 */
export function createSockets(options: SocketsOptions): Sockets {
  const { clock, settings } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: settings.maxMessage,
    maxFragments,
    maxBufferedChunks,
    autoPong: false,
    perMessageDeflate: false,
    clientTracking: false,
  });
  /** Each with what ends its watch. */
  const open = new Map<OpenSocket, () => void>();
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
      if (open.has(own)) open.set(own, watchSocket(options, { own, connection, known, peer, target }));
      const { after, filter } = followQuery(target.search, { session: target.sessionId !== null });
      if (target.sessionId !== null) {
        const { sessionId } = target;
        await connection.followSession(ownSubscription, { sessionId, after, filter });
      }
    } catch (failed) {
      const at = { principal, target, address: peer.address };
      refuseSocket(options, own, await noted(options, failed, at));
    }
    own.ready();
  }

  return {
    upgrade(request, socket, head) {
      const target = targetOf(request);
      if (target === null) return refuseUpgrade(socket, "404 Not Found");
      const refusal = refusalOf(request, options.edge);
      if (refusal !== null) return refuseUpgrade(socket, refusal);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const own = new OpenSocket(webSocket, options, () => {
          open.get(own)?.();
          open.delete(own);
        });
        open.set(own, () => {});
        void serve(own, request, target);
      });
    },

    async closeAll() {
      closing = true;
      for (const own of open.keys()) {
        own.wire.send(errorFrame(shuttingDown(), undefined));
        own.close("server", 1013, "shutting_down");
      }
      const deadline = clock.monotonic() + settings.closeMs;
      while (open.size > 0 && clock.monotonic() < deadline) await pause(clock, 10);
      for (const own of open.keys()) own.cut("server");
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

interface Watched {
  readonly own: OpenSocket;
  readonly connection: WebSocketConnection;
  readonly known: Principal;
  readonly peer: Peer;
  readonly target: SocketTarget;
}

/** Until the returned function is called. A socket that is for one session has nothing left when that one is lost. */
function watchSocket(options: SocketsOptions, watched: Watched): () => void {
  const { own, connection, known: principal, peer, target } = watched;
  const end = (why: BerthError) => refuseSocket(options, own, why);
  return options.watch.add({
    principal,
    peer,
    sessions: () => connection.followed(),
    revoked: end,
    lost: (id, why) => (target.sessionId === null ? connection.lose(id, why) : end(why)),
  });
}

interface Refused {
  readonly principal: Principal | null;
  readonly target: SocketTarget;
  readonly address: string;
}

/** What went wrong, when the audit log has it. */
function noted({ operations }: SocketsOptions, thrown: unknown, refused: Refused): Promise<unknown> {
  const { principal, target, address } = refused;
  const params: Readonly<Record<string, string>> =
    target.sessionId === null ? {} : { sessionId: target.sessionId };
  const route = "WS open";
  return noteRefusal(operations, { thrown, principal, route, params, requestId: null, address });
}

function refuseSocket({ telemetry }: SocketsOptions, own: OpenSocket, thrown: unknown): void {
  const frame = errorFrame(thrown, undefined);
  if (frame.op === "error" && frame.code === "internal") {
    telemetry.unexpectedError({ where: "http.websocket", error: thrown });
  }
  own.wire.send(frame);
  own.close("server", closeCodeOf(thrown), asBerthError(thrown).code);
}
