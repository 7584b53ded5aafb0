import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The files that a build was made of, relative to the checkout, each with its state when it was read. */
export type Inputs = Readonly<Record<string, string>>;

/** The file of a build that has its inputs. */
export const inputsFile = "inputs.json";

/**
 * Tells one content of a file from another without reading it. Whoever changes a file changes this, tools that keep the time of
 * the last change included: nobody sets `ctime`, and a file that takes another's place has another number.
 */
export function stateOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? "missing" : `${stat.size} ${stat.mtimeMs} ${stat.ctimeMs} ${stat.ino}`;
}

/** Whether a build is what the checkout would give now. */
export function isFresh(build: string, checkout: string): boolean {
  const inputs = JSON.parse(readFileSync(join(build, inputsFile), "utf8")) as Inputs;
  return Object.entries(inputs).every(([file, state]) => stateOf(`${checkout}/${file}`) === state);
}
