/** A load that can be held: whoever works asks before each piece, and all stand still when it is shut. */
export class Gate {
  #open = Promise.withResolvers<void>();
  #standing = 0;
  #shut = false;
  #workers = 0;
  #quiet: (() => void) | null = null;

  constructor() {
    this.#open.resolve();
  }

  get shut(): boolean {
    return this.#shut;
  }

  /** Runs a worker that asks `pass` now and then. */
  async work(run: () => Promise<void>): Promise<void> {
    this.#workers += 1;
    try {
      await run();
    } finally {
      this.#workers -= 1;
      this.#tell();
    }
  }

  /** Resolves when the gate is open; at once if it is. */
  async pass(): Promise<void> {
    if (!this.#shut) return;
    this.#standing += 1;
    this.#tell();
    await this.#open.promise;
    this.#standing -= 1;
  }

  /** Shuts the gate; resolves when every worker stands before it. */
  hold(): Promise<void> {
    this.#shut = true;
    this.#open = Promise.withResolvers<void>();
    return new Promise((resolve) => {
      this.#quiet = resolve;
      this.#tell();
    });
  }

  release(): void {
    this.#shut = false;
    this.#open.resolve();
  }

  #tell(): void {
    if (!this.#shut || this.#standing < this.#workers) return;
    this.#quiet?.();
    this.#quiet = null;
  }
}
