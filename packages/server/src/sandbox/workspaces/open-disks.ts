import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { createTurns } from "../turns.ts";
import type { WorkspaceDisk, WorkspaceLimits, WorkspacePlace } from "./host-workspaces.ts";

/** For how long a disk that nobody uses stays open: the next call comes soon or not at all. */
const idleMs = 15_000;
/** Calls are over soon; what waits for them to end waits no longer. */
const callsMs = 5_000;

interface Open {
  readonly disk: WorkspaceDisk;
  readonly place: WorkspacePlace;
  /** Sandboxes and calls. */
  users: number;
  /** Sandboxes. */
  holders: number;
  end: TimerHandle | null;
  /** Told when nobody uses it. */
  readonly waiting: Set<() => void>;
}

export interface Holding {
  readonly limits: WorkspaceLimits | undefined;
  /** Called before it is given out; `others`: sandboxes that have it already. */
  readonly prepare: (root: string, others: number) => Promise<void>;
}

/** Keeps disks open while somebody uses them, and a little longer. */
export class OpenDisks {
  readonly #clock: Clock;
  readonly #diskOf: (id: string) => WorkspaceDisk | null;
  readonly #onError: (id: string, thrown: unknown) => void;
  readonly #open = new Map<string, Open>();
  readonly #inTurn = createTurns();

  /** `diskOf`: where a workspace is; null when there is none. */
  constructor(options: {
    clock: Clock;
    diskOf: (id: string) => WorkspaceDisk | null;
    onError: (id: string, thrown: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#diskOf = options.diskOf;
    this.#onError = options.onError;
  }

  /** Rejects with `workspace_not_found`. Each one is given back by `release`. */
  acquire(id: string): Promise<{ disk: WorkspaceDisk; place: WorkspacePlace }> {
    return this.#inTurn(id, () => this.#use(id));
  }

  /** For a sandbox. Given back by `unhold`. */
  hold(id: string, { limits, prepare }: Holding): Promise<{ disk: WorkspaceDisk; place: WorkspacePlace }> {
    return this.#inTurn(id, async () => {
      const disk = this.#diskOf(id);
      if (limits !== undefined && disk !== null && !this.isUsed(id) && (await disk.lacks(id, limits))) {
        await this.#endUnused(id);
        await disk.create(id, limits);
      }
      const open = await this.#use(id);
      try {
        await prepare(open.place.root, open.holders);
      } catch (thrown) {
        this.release(id);
        throw thrown;
      }
      open.holders++;
      return open;
    });
  }

  unhold(id: string): void {
    const open = this.#open.get(id);
    if (open !== undefined) open.holders--;
    this.release(id);
  }

  release(id: string): void {
    const open = this.#open.get(id);
    if (open === undefined || --open.users > 0) return;
    for (const tell of open.waiting) tell();
    open.end = this.#clock.after(idleMs, () => {
      void this.#inTurn(id, () => this.#endUnused(id)).catch((thrown: unknown) => this.#onError(id, thrown));
    });
  }

  /** Calls while nobody has it open. Rejects with `sandbox_busy` when a sandbox has it, or a call that does not end. */
  exclusively<T>(id: string, call: () => Promise<T>): Promise<T> {
    return this.#inTurn(id, async () => {
      await this.#callsEnd(id);
      if (!(await this.#endUnused(id))) throw inUse();
      return await call();
    });
  }

  /** As `exclusively`, for what makes a disk: it is open afterwards, because it is about to be used. */
  make(id: string, call: () => Promise<void>): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#callsEnd(id);
      if (!(await this.#endUnused(id))) throw inUse();
      await call();
      await this.#use(id);
      this.release(id);
    });
  }

  isUsed(id: string): boolean {
    return (this.#open.get(id)?.users ?? 0) > 0;
  }

  /** Closes those that nobody uses. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.#inTurn(id, () => this.#endUnused(id))));
  }

  async #use(id: string): Promise<Open> {
    const open = this.#open.get(id) ?? (await this.#begin(id));
    open.end?.cancel();
    open.end = null;
    open.users++;
    return open;
  }

  async #begin(id: string): Promise<Open> {
    const disk = this.#diskOf(id);
    if (disk === null) {
      throw new BerthError("workspace_not_found", "The workspace is not on this host; make it first.");
    }
    const open: Open = {
      disk,
      place: await disk.open(id),
      users: 0,
      holders: 0,
      end: null,
      waiting: new Set(),
    };
    this.#open.set(id, open);
    return open;
  }

  /** Resolves when nobody uses it any more, at once when sandboxes do, or when it takes too long. */
  async #callsEnd(id: string): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined || open.users === 0 || open.holders > 0) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        late.cancel();
        open.waiting.delete(end);
        resolve();
      };
      const late = this.#clock.after(callsMs, end);
      open.waiting.add(end);
    });
  }

  async #endUnused(id: string): Promise<boolean> {
    const open = this.#open.get(id);
    if (open === undefined) return true;
    if (open.users > 0) return false;
    open.end?.cancel();
    this.#open.delete(id);
    await open.disk.close(id);
    return true;
  }
}

function inUse(): BerthError {
  return new BerthError("sandbox_busy", "The workspace is in use; end its sandbox first.", {
    retryable: true,
  });
}
