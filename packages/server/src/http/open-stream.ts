import type { Peer } from "../auth/peer.ts";
import type { Principal } from "../auth/principal.ts";
import type { BerthError } from "../lib/errors.ts";
import { shuttingDown } from "../operations/unless-stopping.ts";
import { endBytes, goodbye, outputEndBytes } from "./sse-bytes.ts";
import { type EndedBy, SseConnection } from "./sse-connection.ts";
import type { StreamOwner } from "./stream-slots.ts";
import type { StreamSettings } from "./stream-settings.ts";
import type { WatchedStream } from "./stream-watch.ts";

interface StreamAbout {
  readonly principal: Principal;
  readonly peer: Peer;
  readonly requestId: string;
  /** The session whose log it is; undefined for a stream of something else. */
  readonly sessionId?: string | undefined;
  readonly allowed?: ((now: Principal) => Promise<unknown>) | undefined;
  readonly stopped?: BerthError | undefined;
}

/**
 * An event stream with whose it is, in one object: as its owner, what is watched, and what is open. With closures for each of these an
 * idle client held 0.6 KiB more (heap snapshots of 1,000).
 */
export class OpenStream extends SseConnection implements WatchedStream, StreamOwner {
  readonly principal: Principal;
  readonly peer: Peer;
  readonly requestId: string;
  readonly sessionId: string | undefined;
  readonly allowed: ((now: Principal) => Promise<unknown>) | undefined;
  readonly #stopped: BerthError | undefined;

  constructor(
    about: StreamAbout,
    settings: StreamSettings,
    onClosed: (by: EndedBy, connection: SseConnection) => void,
  ) {
    super(settings, onClosed);
    this.principal = about.principal;
    this.peer = about.peer;
    this.requestId = about.requestId;
    this.sessionId = about.sessionId;
    this.allowed = about.allowed;
    this.#stopped = about.stopped;
  }

  get address(): string {
    return this.peer.address;
  }

  sessions(): readonly string[] {
    return this.sessionId === undefined ? [] : [this.sessionId];
  }

  revoked({ code, message }: BerthError): void {
    // Whoever may follow it no more is told so, but for who may connect again.
    this.close(code === "access_changed" ? goodbye : endBytes({ code: "access_revoked", message }));
  }

  lost(_sessionId: string, why: BerthError): void {
    this.revoked(why);
  }

  /** The server stops. */
  leave(): void {
    // Output of a command or process, which ends with its server, is not found elsewhere.
    this.close(this.sessionId === undefined ? outputEndBytes(this.#stopped ?? shuttingDown()) : goodbye);
  }
}
