import { tmpdir } from "node:os";
import { parseArgs } from "node:util";

/** Options of a bench: its sizes, whole or not, its own others, and where and how it tells. */
export type Options<Size extends string, Text extends string, Flag extends string> = Readonly<
  Record<Size, number>
> &
  Readonly<Record<Text, string | null>> &
  Readonly<Record<Flag, boolean>> & {
    /** Folder in which the bench makes its own. */
    readonly dir: string;
    /** File for the result as JSON, besides the table; null for none. */
    readonly json: string | null;
  };

interface Others<Text extends string, Flag extends string> {
  /** Options that take a text. */
  readonly texts?: readonly Text[];
  /** Options that are there or not. */
  readonly flags?: readonly Flag[];
}

/**
 * Reads `--name number` for each of the sizes, with their defaults, a bench's other options, `--dir` and `--json`. What it does not
 * know, or cannot read, ends the process with 2 and the list of what there is.
 */
export function readOptions<Size extends string, Text extends string = never, Flag extends string = never>(
  defaults: Readonly<Record<Size, number>>,
  { texts = [], flags = [] }: Others<Text, Flag> = {},
): Options<Size, Text, Flag> {
  const sizes = Object.entries<number>(defaults);
  const taking = [...sizes.map(([name]) => name), ...texts, "dir", "json"];
  try {
    const { values } = parseArgs({
      options: {
        ...Object.fromEntries(taking.map((name) => [name, { type: "string" } as const])),
        ...Object.fromEntries(flags.map((name) => [name, { type: "boolean" } as const])),
      },
    });
    const given: Readonly<Record<string, string | boolean | undefined>> = values;
    const { dir = tmpdir(), json = null } = given;
    return {
      ...Object.fromEntries(sizes.map(([name, size]) => [name, numberOf(name, given[name]) ?? size])),
      ...Object.fromEntries(texts.map((name) => [name, given[name] ?? null])),
      ...Object.fromEntries(flags.map((name) => [name, given[name] === true])),
      dir,
      json,
    } as Options<Size, Text, Flag>;
  } catch (error) {
    const known = [
      ...sizes.map(([name, size]) => `--${name} ${size}`),
      ...texts.map((name) => `--${name} …`),
      ...flags.map((name) => `--${name}`),
      "--dir FOLDER",
      "--json FILE",
    ];
    console.error(`${error instanceof Error ? error.message : String(error)}\noptions: ${known.join(", ")}`);
    return process.exit(2);
  }
}

function numberOf(name: string, text: string | boolean | undefined): number | null {
  if (typeof text !== "string") return null;
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name} takes a number above 0, not ${text}`);
}
