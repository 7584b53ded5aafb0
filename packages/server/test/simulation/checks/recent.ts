/** Remembers what was added since the last but one time that it aged. */
export class Recent<T> {
  #young = new Set<T>();
  #old = new Set<T>();

  add(one: T): void {
    this.#young.add(one);
  }

  has(one: T): boolean {
    return this.#young.has(one) || this.#old.has(one);
  }

  age(): void {
    this.#old = this.#young;
    this.#young = new Set();
  }
}
