const maxCharacters = 1024 * 1024;
const maxValues = 50_000;
const maxDepth = 200;

/** Reading this many characters takes as long as looking at one value. */
const charactersPerValue = 500;

/**
 * How much work an input is for a validator: its values, and its text at a smaller rate.
 * Throws a RangeError that tells the model what to change when the input is larger than any may be.
 */
export function inputSize(input: unknown): number {
  let values = 0;
  let characters = 0;

  function read(text: string): void {
    characters += text.length;
    if (characters > maxCharacters) throw tooLarge(`has more than ${maxCharacters} characters of text`);
  }

  function visit(value: unknown, depth: number): void {
    values++;
    if (values > maxValues) throw tooLarge(`has more than ${maxValues} values`);
    if (depth > maxDepth) throw tooLarge(`is nested more than ${maxDepth} levels deep`);
    if (typeof value === "string") read(value);
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item, depth + 1);
      return;
    }
    for (const [name, member] of Object.entries(value)) {
      read(name);
      visit(member, depth + 1);
    }
  }

  visit(input, 0);
  return values + Math.ceil(characters / charactersPerValue);
}

function tooLarge(what: string): RangeError {
  return new RangeError(`the input: ${what}; make it smaller`);
}
