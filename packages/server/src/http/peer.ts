import { localPeer, type Peer } from "../auth/peer.ts";

const peers = new WeakMap<Request, Peer>();

/** Remembers where a request came from. */
export function keepPeer(request: Request, peer: Peer): void {
  peers.set(request, peer);
}

/** Where a request came from. */
export function peerOf(request: Request): Peer {
  return peers.get(request) ?? localPeer;
}
