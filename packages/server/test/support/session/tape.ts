/** Choices that a property-based test made beforehand, so that a failing play shrinks. Once they are used up every choice is the first. */
export class Tape {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get ended(): boolean {
    return this.#at >= this.#numbers.length;
  }

  /** A number from 0 to below `count`. */
  next(count: number): number {
    return (this.#numbers[this.#at++] ?? 0) % count;
  }

  pick<T>(options: readonly [T, ...T[]]): T {
    return options[this.next(options.length)] ?? options[0];
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.next(times) === times - 1;
  }
}
