/** Steps that one check may take at most, by the estimate below; some hundredths of a second. */
const maxSteps = 1e7;

/**
 * The regular expressions of schemas that callers bring. Such a pattern would run on the server's own thread, so a check
 * that could take long is left out and passes; the caller's own tool sees the input too.
 */
export function createBoundedRegExp(pattern: string, flags: string): { test(text: string): boolean } {
  const expression = new RegExp(pattern, flags);
  const steps = estimateSteps(pattern);
  return { test: (text) => steps(text.length) > maxSteps || expression.test(text) };
}
// Ajv asks for the name under which generated code would import it; nothing is generated here.
createBoundedRegExp.code = "createBoundedRegExp";

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
