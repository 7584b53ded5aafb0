import type { SessionRef } from "./protocol.ts";

/** What the last append of a session left in its row. Only a hint: the statement that uses it checks all of it. */
export interface AppendHint {
  readonly no: number;
  readonly status: string;
  readonly currentRunId: string | null;
}

const maxHints = 10_000;

/** Kept by the writer thread. Finding a row by its text ids first makes the statements of an append take half as long again. */
export class AppendHints {
  readonly #hints = new Map<string, AppendHint>();

  get({ orgId, sessionId }: SessionRef): AppendHint | undefined {
    return this.#hints.get(orgId + sessionId);
  }

  set({ orgId, sessionId }: SessionRef, hint: AppendHint): void {
    if (this.#hints.size >= maxHints) this.#hints.clear();
    this.#hints.set(orgId + sessionId, hint);
  }

  delete({ orgId, sessionId }: SessionRef): void {
    this.#hints.delete(orgId + sessionId);
  }
}
