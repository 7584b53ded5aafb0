/** Frames between processes. A hint, never the truth: a frame may be lost or come late, the store decides what exists. */
export interface Bus {
  /** Never throws and never waits. Subscribers in this process are called before it returns. */
  publish(topic: string, frame: unknown): void;
  /**
   * Calls for each frame until the returned function is called. Resolves when frames published from now on will come.
   * What `call` throws is reported and hurts nobody else. Throws `bus_closed` after `close`.
   */
  subscribe(topic: string, call: (frame: unknown) => void): Promise<() => void>;
  /** Asks whoever answers on the topic; null when nobody does in time. The first answer that is not null wins. */
  ask(topic: string, question: unknown, timeoutMs: number): Promise<unknown>;
  /** Answers questions on the topic until the returned function is called. Null or undefined: not mine to answer. */
  answer(topic: string, call: (question: unknown) => unknown): Promise<() => void>;
  /** Drops subscribers and answerers; what is being asked is answered null. */
  close(): Promise<void>;
}
