/** What the model does in a turn: its name says it to the model double. */
export type Shape = "at-once" | "tokens" | "tool";
export const shapes = ["at-once", "tokens", "tool"] as const satisfies readonly Shape[];

export const peerNames = ["ai-sdk", "langgraph", "mastra"] as const;
export type PeerName = (typeof peerNames)[number];

export interface TurnTimes {
  /** From sending until the first text was there. Milliseconds. */
  readonly firstMs: number;
  /** From sending until the turn was over. Milliseconds. */
  readonly totalMs: number;
}

/** One way to have turns. */
export interface Contender {
  readonly name: "model" | "floor" | "berth" | "other" | PeerName;
  /** The process whose CPU is counted: its server, or null for the model called directly. */
  readonly pid: number | null;
  /** Opens what belongs to a measurement: places for turns, one turn at a time in each. */
  open(shape: Shape, places: number): Promise<readonly Place[]>;
  /** Runs what needs its server; without it, the server never stands still. */
  readonly awake?: <T>(work: () => Promise<T>) => Promise<T>;
  stop(): Promise<void>;
}

/** A session, or a connection: has one turn at a time. */
export interface Place {
  turn(): Promise<TurnTimes>;
  close(): Promise<void>;
}
