import type { AddressSet } from "../lib/addresses.ts";

/** What one connection and one request may cost before it is known who it is. Times are milliseconds, sizes bytes. */
export interface TransportLimits {
  readonly maxConnections: number;
  /** From one address, or one /64 of IPv6. */
  readonly maxConnectionsPerAddress: number;
  /** Addresses that may have any number: proxies carry everybody's. */
  readonly uncounted: AddressSet | null;
  /** All headers of a request with its first line. */
  readonly headerBytes: number;
  /** A request's head has to be there by then, counted from the connection or the end of the request before it. */
  readonly headersTimeoutMs: number;
  /** And the whole request by then. */
  readonly requestTimeoutMs: number;
  /** A client that neither sends nor takes a byte of its answer is cut then. */
  readonly stuckMs: number;
}

export const defaultTransportLimits: TransportLimits = {
  maxConnections: 5_000,
  maxConnectionsPerAddress: 1_000,
  uncounted: null,
  headerBytes: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  stuckMs: 60_000,
};
