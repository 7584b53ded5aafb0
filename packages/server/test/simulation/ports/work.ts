/** A call of a model or a tool that goes on. */
export interface Work {
  readonly what: string;
  readonly sessionId: string;
  /** Of the holder that called; null when it is not known. */
  readonly epoch: number | null;
  readonly signal: AbortSignal;
}
