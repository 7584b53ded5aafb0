import { accessSync, constants, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
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
  const known = [
    ...sizes.map(([name, size]) => `--${name} ${size}`),
    ...texts.map((name) => `--${name} …`),
    ...flags.map((name) => `--${name}`),
    "--dir FOLDER",
    "--json FILE",
  ];
  const usage = `options: ${known.join(", ")}`;
  try {
    const { values } = parseArgs({
      options: {
        ...Object.fromEntries(taking.map((name) => [name, { type: "string" } as const])),
        ...Object.fromEntries(flags.map((name) => [name, { type: "boolean" } as const])),
        help: { type: "boolean" },
      },
    });
    if (values["help"] === true) {
      console.log(usage);
      return process.exit(0);
    }
    const given: Readonly<Record<string, string | boolean | undefined>> = values;
    const dir = folderOf("dir", pathOf(textOf(given["dir"]) ?? tmpdir()));
    const written = textOf(given["json"]);
    const json = written === null ? null : pathOf(written);
    // Now, and not after the minutes that the result takes.
    if (json !== null) folderOf("json", dirname(json));
    return {
      ...Object.fromEntries(sizes.map(([name, size]) => [name, numberOf(name, given[name]) ?? size])),
      ...Object.fromEntries(texts.map((name) => [name, given[name] ?? null])),
      ...Object.fromEntries(flags.map((name) => [name, given[name] === true])),
      dir,
      json,
    } as Options<Size, Text, Flag>;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}

/** A path as whoever typed it means it: npm runs its scripts in the repository's folder, wherever it was called. */
export function pathOf(text: string): string {
  return resolve(process.env["INIT_CWD"] ?? "", text);
}

function textOf(value: string | boolean | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** Throws unless files can be made in it. */
function folderOf(option: string, folder: string): string {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) throw new Error(`--${option}: there is no folder ${folder}`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new Error(`--${option}: you may not write to ${folder}`);
  }
  return folder;
}

function numberOf(name: string, text: string | boolean | undefined): number | null {
  if (typeof text !== "string") return null;
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name} takes a number above 0, not ${text}`);
}
