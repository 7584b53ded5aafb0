/** Steps that one match may take at most, by the estimate below; some hundredths of a second. */
const maxSteps = 1e7;
/** Steps that all matches of one input may take. */
const maxStepsTogether = 5e7;

/** Makes the regular expressions of one schema. */
export interface BoundedRegExps {
  /** As Ajv's option `code.regExp` wants it. */
  readonly create: {
    (pattern: string, flags: string): { test(text: string): boolean; toString(): string };
    code: string;
  };
  /** Begins another input, with all its steps to take. */
  readonly refill: () => void;
}

/**
 * The regular expressions of a schema that callers bring. Such a pattern would run on the server's own thread, so a match
 * that could take long is left out and passes; the caller's own tool sees the input too.
 */
export function createBoundedRegExps(): BoundedRegExps {
  let left = maxStepsTogether;

  function create(pattern: string, flags: string) {
    const expression = new RegExp(pattern, flags);
    const estimate = estimateSteps(pattern);
    function test(text: string): boolean {
      const steps = estimate(text.length);
      if (steps > maxSteps || steps > left) return true;
      left -= steps;
      return expression.test(text);
    }
    // Ajv takes expressions with the same text as one.
    return { test, toString: () => String(expression) };
  }
  // Ajv asks for the name under which generated code would import it; nothing is generated here.
  create.code = "createBoundedRegExp";

  return {
    create,
    refill: () => {
      left = maxStepsTogether;
    },
  };
}

/**
 * An upper bound of the steps that a backtracking matcher takes for a text of a length: the length to the power of the
 * loops, doubled for each choice. Infinite for a repeated group or a back reference.
 */
export function estimateSteps(pattern: string): (length: number) => number {
  const plain = pattern
    .replace(/\\./gs, (escape) => (/\\[1-9k]/.test(escape) ? escape : "x"))
    .replace(/\[[^\]]*\]/g, "x");
  if (/\)[*+{]|\\/.test(plain)) return () => Number.POSITIVE_INFINITY;
  const loops = count(plain, /[*+]|\{\d*,\d*\}/g);
  const choices = count(plain, /\||(?<![(*+?}])\?/g);
  const starts = plain.startsWith("^") && !plain.includes("|") ? 0 : 1;
  const repeats = [...plain.matchAll(/\{(\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);
  return (length) => (length + 1) ** (loops + starts) * 2 ** choices * (plain.length + repeats);
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
