export interface ModelTimeouts {
  /** Until the request is on its way. */
  readonly connectMs: number;
  /** From there to the first part of the answer; reasoning that a provider does not show is in it. */
  readonly firstTokenMs: number;
  /** Longest silence within an answer. */
  readonly idleMs: number;
}

const defaultTimeouts: ModelTimeouts = { connectMs: 10_000, firstTokenMs: 300_000, idleMs: 90_000 };

/** The defaults with what is set put over them. */
export function withTimeouts(set: Partial<ModelTimeouts> | undefined): ModelTimeouts {
  return { ...defaultTimeouts, ...set };
}
