/** Of one sandbox's proxy. Times are milliseconds. */
export interface EgressLimits {
  /** At once, each with one way out. */
  readonly connections: number;
  /** Of a request, and of an answer. */
  readonly headerBytes: number;
  /** For a request's headers to come. */
  readonly headersMs: number;
  readonly resolveMs: number;
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  /** From the end of a plain request to the first byte of its answer. */
  readonly firstByteMs: number;
  /** Without a byte in either direction; a connection ends between once and twice this time. */
  readonly idleMs: number;
  /** The same, for a tunnel of which one side has said its last. */
  readonly halfOpenMs: number;
}

export const defaultEgressLimits: EgressLimits = {
  connections: 64,
  headerBytes: 16_384,
  headersMs: 15_000,
  resolveMs: 5_000,
  connectMs: 10_000,
  firstByteMs: 120_000,
  idleMs: 300_000,
  halfOpenMs: 30_000,
};
