/** Where a request comes from, by what the sockets say and not by what it says itself. */
export interface Peer {
  /** The other end of the connection. */
  readonly socket: string;
  /** Who is behind it: the first address from the right of X-Forwarded-For that is no trusted proxy; else the socket's. */
  readonly address: string;
  /** The connection comes from a configured proxy. */
  readonly trustedProxy: boolean;
  /** The client's certificate, when TLS ends here and our authority has signed it. */
  readonly certificate: PeerCertificate | null;
}

export interface PeerCertificate {
  /** Lower-case hex SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** Its subject alternative names as TLS writes them: `DNS:worker.example`, `URI:spiffe://…`. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Of a request that came through no socket: within this process. */
export const localPeer: Peer = {
  socket: "127.0.0.1",
  address: "127.0.0.1",
  trustedProxy: false,
  certificate: null,
};
