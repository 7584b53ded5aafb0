import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { localPeer, type Peer } from "../auth/peer.ts";
import { type AddressSet, normalAddress } from "../lib/addresses.ts";
import { certificateOf, isTls } from "./peer-certificate.ts";

/** Where a request came from, and what the client asked for it at. */
export interface Reached {
  readonly peer: Peer;
  /** `https://berth.example`, when a trusted proxy says so; null: what the request's own URL says. */
  readonly origin: string | null;
}

/** Reads a request's peer; cheap, as what a connection says of itself is read once for all its requests. */
export type ReadPeer = (incoming: IncomingMessage) => Reached;

/** No chain of proxies is longer. */
const maxHops = 16;

/** A request of the API, or the one by which a WebSocket is opened. */
type Incoming = Request | IncomingMessage;

const known = new WeakMap<Incoming, Reached>();
const nowhere: Reached = { peer: localPeer, origin: null };

/** Remembers where a request came from. */
export function keepPeer(request: Incoming, reached: Reached): void {
  known.set(request, reached);
}

/** Where a request came from. */
export function peerOf(request: Incoming): Peer {
  return (known.get(request) ?? nowhere).peer;
}

/**
 * This server's origin as the client of a request sees it, such as `https://berth.example`: what cookies and same-origin checks go
 * by. A proxy's word counts only when it is trusted. Null when nobody says what the server is called.
 */
export function ownOrigin(request: Incoming): string | null {
  const { origin } = known.get(request) ?? nowhere;
  if (origin !== null) return origin;
  if (request instanceof Request) return URL.parse(request.url)?.origin ?? null;
  const { host } = request.headers;
  return host === undefined ? null : originOf(isTls(request.socket) ? "https" : "http", host);
}

/** Whether the client speaks TLS, with this server or with a trusted proxy. */
export function isOverTls(request: Request): boolean {
  return ((known.get(request) ?? nowhere).origin ?? request.url).startsWith("https:");
}

/** Headers that name a client are read only when a proxy of `trusted` sent them; `Forwarded` and `X-Real-IP` are never read. */
export function createReadPeer({ trusted }: { readonly trusted: AddressSet }): ReadPeer {
  const bySocket = new WeakMap<Socket, Reached>();
  return ({ socket, headers }) => {
    const direct = bySocket.get(socket) ?? ofSocket(socket, trusted);
    bySocket.set(socket, direct);
    if (!direct.peer.trustedProxy) return direct;
    const address = clientBehind(direct.peer.socket, headers["x-forwarded-for"], trusted);
    return { peer: { ...direct.peer, address }, origin: forwardedOrigin(headers) };
  };
}

function ofSocket(socket: Socket, trusted: AddressSet): Reached {
  const given = socket.remoteAddress ?? "";
  const address = normalAddress(given) ?? given;
  const trustedProxy = trusted.has(address);
  const peer = { socket: address, address, trustedProxy, certificate: certificateOf(socket) };
  return { peer, origin: null };
}

/** The first hop from the right that is no trusted proxy. What a proxy that is not trusted says further left counts for nothing. */
function clientBehind(socket: string, header: string | string[] | undefined, trusted: AddressSet): string {
  let client = socket;
  const hops = String(header ?? "").split(",");
  for (let i = hops.length - 1; i >= 0 && hops.length - i <= maxHops; i--) {
    const hop = addressOf((hops[i] ?? "").trim());
    if (hop === null) return client;
    client = hop;
    if (!trusted.has(hop)) return client;
  }
  return client;
}

/** An address as proxies write it: plain, `[2001:db8::1]`, or with a port. Null for anything else. */
function addressOf(hop: string): string | null {
  const bracketed = /^\[([^\]]{2,60})\](?::\d{1,5})?$/.exec(hop)?.[1];
  const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(hop)?.[1];
  return normalAddress(bracketed ?? withPort ?? hop);
}

/** What the proxy was asked for: the last value, which is its own, of headers that hold several. Null when it says nothing useful. */
function forwardedOrigin(headers: IncomingMessage["headers"]): string | null {
  const protocol = lastOf(headers["x-forwarded-proto"])?.toLowerCase();
  const host = lastOf(headers["x-forwarded-host"]) ?? headers.host;
  if (host === undefined || (protocol !== "http" && protocol !== "https")) return null;
  return originOf(protocol, host);
}

function originOf(protocol: string, host: string): string | null {
  return /^[\w.:[\]-]{1,255}$/.test(host) ? (URL.parse(`${protocol}://${host}`)?.origin ?? null) : null;
}

function lastOf(header: string | string[] | undefined): string | undefined {
  const last = header === undefined ? undefined : String(header).split(",").at(-1)?.trim();
  return last === "" ? undefined : last;
}
