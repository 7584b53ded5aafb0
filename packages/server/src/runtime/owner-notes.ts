import type { SessionState } from "../session/state.ts";
import type { Store } from "../store/store.ts";

/**
 * What the session's owner adds to its system prompts. A run keeps what there was when it began: the texts are looked up by its start, so
 * that another worker that goes on with it finds the same (I14).
 */
export class OwnerNotes {
  readonly #store: Store;
  readonly #orgId: string;
  #known: { readonly runId: string; readonly notes: readonly string[] } | null = null;

  constructor(store: Store, orgId: string) {
    this.#store = store;
    this.#orgId = orgId;
  }

  /** Of the run that goes on; none when none does. */
  async of({ owner, run }: SessionState): Promise<readonly string[]> {
    if (run === null) return [];
    if (this.#known?.runId === run.id) return this.#known.notes;
    const notes = await this.#store.org(this.#orgId).userConfig.fragmentsAt(owner, run.startedAt);
    this.#known = { runId: run.id, notes };
    return notes;
  }
}
