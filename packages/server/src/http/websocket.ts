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
import { sandboxFor } from "../operations/sandbox-access.ts";
import { openTerminal } from "../operations/sandbox-terminal.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Beats } from "./beats.ts";
import { followQuery } from "./follow-query.ts";
import { noteRefusal } from "./note-refusal.ts";
import { letIn } from "./let-in.ts";
import { OpenSocket } from "./open-socket.ts";
import { peerOf } from "./peer.ts";
import { presentedOf } from "./presented.ts";
import { shuttingDown } from "../operations/unless-stopping.ts";
import type { StreamSlots } from "./stream-slots.ts";
import type { StreamWatch } from "./stream-watch.ts";
import { type SocketContext, WebSocketConnection } from "./websocket-connection.ts";
import { closeCodeOf, errorFrame, toldOf } from "./websocket-frames.ts";
import {
  type EventsTarget,
  refusalOf,
  refuseUpgrade,
  type SocketTarget,
  targetOf,
  type TerminalTarget,
} from "./websocket-request.ts";
import { TerminalConnection, terminalQueryOf } from "./websocket-terminal.ts";

export interface SocketsOptions extends SocketContext {
  readonly authenticator: Authenticator;
  readonly tickets: Tickets;
  readonly slots: StreamSlots;
  readonly beats: Beats;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly watch: Pick<StreamWatch, "add">;
}

/** The WebSockets of this process: `/api/v1/ws`, `/api/v1/sessions/{id}/ws` and `/api/v1/sandboxes/{id}/terminal`. */
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
  /** Each with what it is for, and what ends its watch. */
  const open = new Map<OpenSocket, { readonly target: SocketTarget; unwatch: () => void }>();
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
      const serving: Serving = {
        own,
        known,
        peer,
        watched(unwatch) {
          const its = open.get(own);
          if (its === undefined) unwatch();
          else its.unwatch = unwatch;
        },
      };
      if (target.kind === "events") await serveEvents(options, serving, target);
      else await serveTerminal(options, serving, target);
    } catch (failed) {
      const at = { principal, target, address: peer.address };
      refuseSocket(options, { own, target }, await noted(options, failed, at));
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
          open.get(own)?.unwatch();
          open.delete(own);
        });
        open.set(own, { target, unwatch: () => {} });
        void serve(own, request, target);
      });
    },

    async closeAll() {
      closing = true;
      for (const [own, { target }] of open) {
        own.wire.sendText(failureOf(target, shuttingDown()));
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

/** A socket whose client is known. */
interface Serving {
  readonly own: OpenSocket;
  readonly known: Principal;
  readonly peer: Peer;
  /** Takes what ends its watch. */
  readonly watched: (unwatch: () => void) => void;
}

/** A socket that is for one session has nothing left when that one is lost. */
async function serveEvents(
  options: SocketsOptions,
  { own, known: principal, peer, watched }: Serving,
  target: EventsTarget,
): Promise<void> {
  const { sessionId } = target;
  const connection = new WebSocketConnection(options, { principal, peer, wire: own.wire, sessionId });
  own.connect(connection);
  const end = (why: BerthError) => refuseSocket(options, { own, target }, why);
  const lost = (id: string, why: BerthError) => (sessionId === null ? connection.lose(id, why) : end(why));
  const sessions = () => connection.followed();
  watched(options.watch.add({ principal, peer, sessions, revoked: end, lost }));
  const { after, filter } = followQuery(target.search, { session: sessionId !== null });
  if (sessionId !== null) await connection.followSession(ownSubscription, { sessionId, after, filter });
}

/** Ends with its sandbox, and when its caller may not use that any more. */
async function serveTerminal(
  options: SocketsOptions,
  { own, known: principal, peer, watched }: Serving,
  target: TerminalTarget,
): Promise<void> {
  const { operations, jsonDepth, telemetry } = options;
  const { sandboxId } = target;
  const { command, cwd, process, keep, from = 0, ...size } = terminalQueryOf(target.search);
  const terminal = await openTerminal(operations, principal, {
    sandboxId,
    ...size,
    keep: keep === "true",
    from,
    ...(command !== undefined && { command }),
    ...(cwd !== undefined && { cwd }),
    ...(process !== undefined && { process }),
    origin: { idempotency: null, traceparent: null, requestId: null, address: peer.address },
  });
  const connection = new TerminalConnection({
    wire: own.wire,
    terminal,
    jsonDepth,
    onUnexpected: (error) => telemetry.unexpectedError({ where: "http.terminal", error }),
    close: (code, reason) => own.close("server", code, reason),
  });
  own.connect(connection);
  const revoked = (why: BerthError) => refuseSocket(options, { own, target }, why);
  const allowed = (now: Principal) =>
    sandboxFor({ context: operations, principal: now, id: sandboxId, permission: "session:write" });
  watched(
    options.watch.add({
      principal,
      peer,
      sessions: () => [],
      allowed,
      revoked,
      lost: (_, why) => revoked(why),
    }),
  );
  void connection.run();
}

interface Refused {
  readonly principal: Principal | null;
  readonly target: SocketTarget;
  readonly address: string;
}

/** What went wrong, when the audit log has it. */
function noted({ operations }: SocketsOptions, thrown: unknown, refused: Refused): Promise<unknown> {
  const { principal, target, address } = refused;
  const params = paramsOf(target);
  const route = "WS open";
  return noteRefusal(operations, { thrown, principal, route, params, requestId: null, address });
}

function paramsOf(target: SocketTarget): Readonly<Record<string, string>> {
  if (target.kind === "terminal") return { sandboxId: target.sandboxId };
  return target.sessionId === null ? {} : { sessionId: target.sessionId };
}

function refuseSocket(
  { telemetry }: SocketsOptions,
  { own, target }: { readonly own: OpenSocket; readonly target: SocketTarget },
  thrown: unknown,
): void {
  if (toldOf(thrown).code === "internal") {
    telemetry.unexpectedError({ where: "http.websocket", error: thrown });
  }
  own.wire.sendText(failureOf(target, thrown));
  own.close("server", closeCodeOf(thrown), asBerthError(thrown).code);
}

/** What the caller may know of a failure, as the frames of its socket are. */
function failureOf(target: SocketTarget, thrown: unknown): string {
  if (target.kind === "events") return JSON.stringify(errorFrame(thrown, undefined));
  return JSON.stringify({ type: "error", ...toldOf(thrown) });
}
