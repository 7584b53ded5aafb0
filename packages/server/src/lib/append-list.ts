/**
 * A list that only grows and is shared by its versions: appending costs O(1) and leaves the old version as it was.
 * Two appends to one version copy (the second finds its place taken).
 */
export class AppendList<T> implements Iterable<T> {
  static readonly #none = new AppendList<never>([], 0);
  readonly #items: T[];
  readonly length: number;

  private constructor(items: T[], length: number) {
    this.#items = items;
    this.length = length;
  }

  static empty<T>(): AppendList<T> {
    return AppendList.#none;
  }

  static from<T>(items: Iterable<T>): AppendList<T> {
    const own = [...items];
    return new AppendList(own, own.length);
  }

  append(item: T): AppendList<T> {
    const items =
      this.length > 0 && this.#items.length === this.length ? this.#items : this.#items.slice(0, this.length);
    items.push(item);
    return new AppendList(items, items.length);
  }

  at(index: number): T | undefined {
    return index < 0 || index >= this.length ? undefined : this.#items[index];
  }

  last(): T | undefined {
    return this.at(this.length - 1);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.#items[i] as T;
  }

  toJSON(): T[] {
    return this.#items.slice(0, this.length);
  }
}
