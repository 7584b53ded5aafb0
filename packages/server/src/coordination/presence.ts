/** Who is around, for display and routing only; death is judged by the store's heartbeats. */
export interface Presence {
  /** Says or renews that a member of a group is here, until `ttlMs` from now. */
  announce(group: string, id: string, data: unknown, ttlMs: number): Promise<void>;
  leave(group: string, id: string): Promise<void>;
  list(group: string): Promise<readonly { id: string; data: unknown }[]>;
  close(): Promise<void>;
}
