import { parseArgs } from "node:util";

export const usage = `npm run sim -- [options]: plays the whole server under simulated time, one seed after another.
  --seeds <n>   how many (default 300)
  --from <n>    the first one (default 1)
  --seed <n>    one seed; prints its last steps
  --hours <n>   one world for hours of virtual time (with --seed: that one), and that nothing grows
  --steps <n>   how many steps of one seed, or of a failure, are printed (default 40)
  --no-shrink   prints failures as they are
  --mutants     plants one bug after another in copies, and expects that each is found
  --only <a,b>  with --mutants: these only
  --list        prints the mutants`;

/** How failures are told. */
export interface Telling {
  readonly steps: number;
  readonly shrink: boolean;
}

/** What is to be done. */
export type Wanted =
  | { readonly what: "help" }
  | { readonly what: "list" }
  | { readonly what: "mutants"; readonly only: readonly string[] }
  | ({ readonly what: "hours"; readonly hours: number; readonly seed: number } & Telling)
  | ({ readonly what: "one"; readonly seed: number } & Telling)
  | ({ readonly what: "many"; readonly from: number; readonly seeds: number } & Telling);

/** Throws what is wrong with the arguments: options that do not go together as well, of which one would do nothing. */
export function readOptions(argv: readonly string[]): Wanted {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      seeds: text,
      from: text,
      seed: text,
      hours: text,
      steps: text,
      shrink: flag,
      mutants: flag,
      only: text,
      list: flag,
      help: flag,
    },
  });
  if (values.help) return { what: "help" };
  if (values.list) return { what: "list" };
  const given = Object.keys(values);
  const refuse = (kind: string, others: readonly string[]) => {
    const other = others.find((name) => given.includes(name));
    if (other !== undefined) throw new Error(`--${other} and ${kind} do not go together`);
  };
  if (values.mutants) {
    refuse("--mutants", ["seeds", "from", "seed", "hours", "steps", "shrink"]);
    return { what: "mutants", only: (values.only ?? "").split(",").filter((name) => name !== "") };
  }
  if (values.only !== undefined) throw new Error("--only says which mutants: use it with --mutants");
  const telling = { steps: numberOf("steps", values.steps, 0) ?? 40, shrink: values.shrink ?? true };
  const seed = numberOf("seed", values.seed);
  const hours = numberOf("hours", values.hours);
  if (hours !== null) {
    refuse("--hours", ["seeds", "from"]);
    return { what: "hours", hours, seed: seed ?? 1, ...telling };
  }
  if (seed !== null) {
    refuse("--seed", ["seeds", "from"]);
    return { what: "one", seed, ...telling };
  }
  const [from, seeds] = [numberOf("from", values.from) ?? 1, numberOf("seeds", values.seeds) ?? 300];
  return { what: "many", from, seeds, ...telling };
}

function numberOf(name: string, text: string | undefined, least = 1): number | null {
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`--${name} takes a whole number from ${least}, not ${text}`);
}
