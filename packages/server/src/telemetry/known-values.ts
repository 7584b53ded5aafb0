/** What stands in a secret's place. */
export const secretMark = "[secret]";

/** Values that are struck out wherever they stand, also as JSON and URLs write them. Above `limit` the oldest are forgotten. */
export class KnownValues {
  readonly #limit: number;
  readonly #forms = new Map<string, readonly string[]>();
  /** Null: to be made again. */
  #pattern: RegExp | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(value: string): void {
    const known = this.#forms.get(value);
    if (known !== undefined) {
      this.#forms.delete(value);
      this.#forms.set(value, known);
      return;
    }
    this.#pattern = null;
    this.#forms.set(value, [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]);
    const [oldest] = this.#forms.keys();
    if (this.#forms.size > this.#limit && oldest !== undefined) this.#forms.delete(oldest);
  }

  strikeFrom(text: string): string {
    if (this.#forms.size === 0) return text;
    this.#pattern ??= patternOf(this.#forms.values());
    return text.replace(this.#pattern, secretMark);
  }
}

/** The longest first: a value may begin with another. */
function patternOf(forms: Iterable<readonly string[]>): RegExp {
  const all = [...new Set([...forms].flat())].toSorted((a, b) => b.length - a.length);
  return new RegExp(all.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "g");
}
