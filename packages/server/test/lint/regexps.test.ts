// NET-09: no regular expression of ours can be made to run long by what it is given.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import ts from "typescript";

const root = join(import.meta.dirname, "../../../..");
const sources = ["packages/contract/src", "packages/client/src", "packages/server/src"];

interface Literal {
  readonly at: string;
  readonly expression: RegExp;
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.name.endsWith(".ts") && !/\.(test|conformance)\.ts$/.test(entry.name) ? [path] : [];
  });
}

function literalsOf(path: string, text: string): readonly Literal[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const found: Literal[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const [, pattern = "", flags = ""] = /^\/([\s\S]*)\/([a-z]*)$/.exec(node.text) ?? [];
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      found.push({ at: `${path}:${line + 1} ${node.text}`, expression: new RegExp(pattern, flags) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Texts whose repetition makes patterns backtrack: what the pattern itself names, and what character classes hold. */
function pumps(source: string): readonly string[] {
  const named = source.match(/[A-Za-z0-9]{2,12}|[^\\[\]()?*+{}|^$]/g) ?? [];
  const usual = [
    "a",
    "0",
    "A",
    " ",
    "\t",
    "\n",
    ".",
    "-",
    "_",
    "/",
    "\\",
    ":",
    ",",
    ";",
    "=",
    '"',
    "'",
    "%41",
    "a.",
    "a-",
    "a ",
    "0.",
    ": ",
    "[",
    "(",
    "{",
    "<",
    "@",
    "\u00e4",
  ];
  return [...new Set([...usual, ...named])];
}

const repeats = 3_000;
/** A pattern that takes quadratic time needs some 10 ms for 3,000 repeats, an exponential one for ever. */
const tooLongMs = 40;

/** The pump that makes an expression slow; null when none does. Grows step by step, so that an exponential one ends early. */
function slowBy(expression: RegExp): string | null {
  for (const pump of pumps(expression.source)) {
    for (const end of ["", "\u0000"]) {
      for (let count = 4; count <= repeats; count = next(count)) {
        let ms = timed(expression, pump, count, end);
        // Something else may have had the processor.
        for (let again = 0; again < 3 && ms > tooLongMs; again++) {
          ms = Math.min(ms, timed(expression, pump, count, end));
        }
        if (ms > tooLongMs) return `${JSON.stringify(pump)} x ${count}`;
      }
    }
  }
  return null;
}

/** One at a time where an exponential pattern would double. */
function next(count: number): number {
  return count < 40 ? count + 1 : Math.ceil(count * 1.5);
}

function timed(expression: RegExp, pump: string, count: number, end: string): number {
  expression.lastIndex = 0;
  const text = pump.repeat(count) + end;
  const began = performance.now();
  expression.test(text);
  return performance.now() - began;
}

describe("NET-09: our regular expressions", () => {
  const literals = sources
    .flatMap(filesIn)
    .flatMap((path) => literalsOf(path, readFileSync(join(root, path), "utf8")));

  it("are many", () => {
    expect(literals.length).toBeGreaterThan(100);
  });

  it("are quick whatever they are given", { timeout: 120_000 }, () => {
    const slow = literals.map(({ at, expression }) => ({ at, by: slowBy(expression) }));
    expect(slow.filter(({ by }) => by !== null)).toEqual([]);
  });

  it("would be found if they were not", () => {
    const [bad] = literalsOf("planted.ts", "export const bad = /^(a+)+$/;");
    expect(bad?.at).toBe("planted.ts:1 /^(a+)+$/");
    expect(slowBy(/^(a+)+$/)).toMatch(/^"a" x/);
    expect(slowBy(/^(\w+\s?)*$/)).not.toBeNull();
    expect(slowBy(/^[a-z]+$/)).toBeNull();
  });
});
