import { accessSync, constants, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { catalogue } from "./suite/catalogue.ts";

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
    /** The sizes are the catalogue's smallest, to see that the bench works: its figures say nothing. */
    readonly quick: boolean;
  };

interface Others<Text extends string, Flag extends string> {
  /** Options that take a text, and what it is, as the list of options says it: `FOLDER`. */
  readonly texts?: Readonly<Record<Text, string>>;
  /** Options that are there or not. */
  readonly flags?: readonly Flag[];
}

/** Sizes that are times, which may have parts; everything else is counted. */
const times = ["seconds", "minutes", "every", "rest", "warm-up"];

/**
 * Reads `--name number` for each of the sizes, with their defaults or, with `--quick`, those of the catalogue, a bench's other options,
 * `--dir` and `--json`. What it does not know, or cannot read, ends the process with 2 and the list of what there is.
 */
export function readOptions<Size extends string, Text extends string = never, Flag extends string = never>(
  defaults: Readonly<Record<Size, number>>,
  others: Others<Text, Flag> = {},
): Options<Size, Text, Flag> {
  const sizes = Object.entries<number>(defaults);
  const texts = Object.entries<string>(others.texts ?? {});
  const flags = [...(others.flags ?? []), "quick"];
  const taking = [...sizes.map(([name]) => name), ...texts.map(([name]) => name), "dir", "json"];
  const known = [
    ...sizes.map(([name, size]) => `--${name} ${size}`),
    ...texts.map(([name, what]) => `--${name} ${what}`),
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
    const quick: Readonly<Record<string, number>> = given["quick"] === true ? quickSizes() : {};
    const sizeOf = (name: string, size: number) => numberOf(name, given[name]) ?? quick[name] ?? size;
    return {
      ...Object.fromEntries(sizes.map(([name, size]) => [name, sizeOf(name, size)])),
      ...Object.fromEntries(texts.map(([name]) => [name, given[name] ?? null])),
      ...Object.fromEntries(flags.map((name) => [name, given[name] === true])),
      dir,
      json,
    } as Options<Size, Text, Flag>;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}

/** The name of the bench that this process runs. */
export function ownName(): string {
  return basename(process.argv[1] ?? "", ".ts");
}

function quickSizes(): Readonly<Record<string, number>> {
  return catalogue[ownName()]?.quick ?? {};
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
  const [fits, what] = times.includes(name)
    ? [number > 0 && Number.isFinite(number), "number above 0"]
    : [number >= 1 && Number.isSafeInteger(number), "whole number from 1"];
  if (fits) return number;
  throw new Error(`--${name} takes a ${what}, not ${text}`);
}
