/** How streams to clients behave. Times are milliseconds, sizes bytes. */
export interface StreamSettings {
  /** Event streams and WebSockets that one principal may have open in this process. */
  readonly maxStreams: number;
  /** The same of one organization, and from one address or /64 of IPv6. */
  readonly maxStreamsPerOrg: number;
  readonly maxStreamsPerAddress: number;
  /** After how long a silent event stream says that it lives. */
  readonly heartbeatMs: number;
  /** How long a client shall wait before it connects again. */
  readonly retryMs: number;
  /** A client that takes nothing for so long is cut. */
  readonly drainMs: number;
  /** How often a WebSocket is pinged; after two pings without an answer it is cut. */
  readonly pingMs: number;
  /** The biggest message that a WebSocket takes. */
  readonly maxMessage: number;
  /** Answers that may wait for a WebSocket's client to take them. When there are more bytes of them it is cut. */
  readonly maxUnsentAnswers: number;
  /** Subscriptions of one WebSocket. */
  readonly maxSubscriptions: number;
  /** How long a closing stream may take to send what it holds. */
  readonly closeMs: number;
}

export const defaultStreamSettings: StreamSettings = {
  maxStreams: 20,
  maxStreamsPerOrg: 10_000,
  maxStreamsPerAddress: 10_000,
  heartbeatMs: 10_000,
  retryMs: 1_000,
  drainMs: 60_000,
  pingMs: 20_000,
  maxMessage: 1_048_576,
  maxUnsentAnswers: 4_194_304,
  maxSubscriptions: 100,
  closeMs: 2_000,
};

/** How often open connections are looked at. */
export const beatMs = 1_000;
