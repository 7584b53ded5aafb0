import { tmpdir } from "node:os";
import { parseArgs } from "node:util";

/** Options of a bench: its sizes, whole or not, and where and how it tells. */
export type Sizes<Name extends string> = Readonly<Record<Name, number>> & {
  /** Folder in which the bench makes its own. */
  readonly dir: string;
  readonly json: boolean;
};

/** Reads `--name number` for each of the sizes, with their defaults, `--dir` and `--json`. Throws what is wrong with them. */
export function readSizes<Name extends string>(defaults: Readonly<Record<Name, number>>): Sizes<Name> {
  const sizes = Object.entries<number>(defaults);
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(sizes.map(([name]) => [name, { type: "string" } as const])),
      json: { type: "boolean", default: false },
      dir: { type: "string", default: tmpdir() },
    },
  });
  const given: Readonly<Record<string, string | boolean | undefined>> = values;
  const read = sizes.map(([name, size]) => [name, numberOf(name, given[name]) ?? size]);
  const { dir, json } = values;
  return { ...(Object.fromEntries(read) as Record<Name, number>), dir, json };
}

function numberOf(name: string, text: string | boolean | undefined): number | null {
  if (typeof text !== "string") return null;
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name} takes a number above 0, not ${text}`);
}
