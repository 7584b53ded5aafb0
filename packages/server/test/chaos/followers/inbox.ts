/** What one side puts in the other takes out, in order, until it is closed. */
export class Inbox<T> {
  readonly #items: T[] = [];
  #closed = false;
  #failure: Error | null = null;
  #waiting: (() => void) | null = null;

  put(item: T): void {
    this.#items.push(item);
    this.#waiting?.();
  }

  /** Ends the reading, after what is in it; with an error if one is given. */
  close(failure: Error | null = null): void {
    this.#closed = true;
    this.#failure ??= failure;
    this.#waiting?.();
  }

  async *read(): AsyncGenerator<T> {
    for (;;) {
      while (this.#items.length > 0) {
        const item = this.#items.shift();
        if (item !== undefined) yield item;
      }
      if (this.#failure !== null) throw this.#failure;
      if (this.#closed) return;
      await new Promise<void>((resolve) => (this.#waiting = resolve));
      this.#waiting = null;
    }
  }
}
