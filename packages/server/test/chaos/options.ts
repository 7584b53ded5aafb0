import { parseArgs } from "node:util";

export const parts = ["kills", "restore", "reconnects", "models", "disk", "sandboxes"] as const;
export type Part = (typeof parts)[number];
/** Those whose rules `--prove` tries. */
const provable: readonly Part[] = ["kills", "sandboxes"];

export interface FaultsOptions {
  readonly list: boolean;
  readonly help: boolean;
  readonly short: boolean;
  readonly prove: boolean;
  readonly keep: boolean;
  readonly kills: number;
  readonly reconnects: number;
  /** The killing ends after so many seconds; null: when there were enough kills. */
  readonly seconds: number | null;
  readonly sessions: number;
  readonly seed: string;
  readonly only: readonly Part[];
}

export const usage = `npm run faults -- [options]

Kills, cuts and starves a real server, and checks that nothing is lost, doubled or wrong. In its full size it takes an hour on two
processors that have nothing else to do; --kills 300 --reconnects 1000 takes ten minutes.

  --list            names the failpoints, and ends
  --short           30 kills, a restore, 200 reconnects, all model faults, disk, sandboxes: what npm test runs
  --kills N         how often the server is killed (default 1000; each failpoint at least 5 times)
  --reconnects N    how often followers connect again after a cut (default 100000)
  --seconds S       the killing ends after S seconds, whatever is missing
  --sessions N      sessions at work at once (default 12)
  --seed X          repeats the choices of the run that printed X
  --only PARTS      some of kills, restore, reconnects, models, disk, sandboxes, separated by commas
  --prove           puts faults into copies of the server, and wants the kill loop and the rules about sandboxes to notice
                    (--only kills or --only sandboxes for one of them)
  --keep            leaves the temporary folders`;

/** A slow machine kills less in the short run, which is to be over in two minutes. */
const shortSeconds = 75;

/** The parts that an option is about: without them it would do nothing. */
const partsOf: Readonly<Record<"kills" | "reconnects" | "seconds" | "sessions", readonly Part[]>> = {
  kills: ["kills"],
  reconnects: ["reconnects"],
  seconds: ["kills"],
  sessions: ["kills", "restore"],
};
/** What `--prove` does not look at: it has sizes of its own. */
const notProving = ["short", "kills", "reconnects"] as const;

/** Throws what is wrong with the arguments: options that would do nothing as well. */
export function readOptions(argv: readonly string[], newSeed: string): FaultsOptions {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      list: flag,
      help: flag,
      short: flag,
      prove: flag,
      keep: flag,
      kills: text,
      reconnects: text,
      seconds: text,
      sessions: text,
      seed: text,
      only: text,
    },
  });
  const { short } = values;
  const only = values.only === undefined ? parts : values.only.split(",").map(partOf);
  // Nothing would run, and nothing would fail.
  if (values.prove && !only.some((part) => provable.includes(part)))
    throw new Error(`--prove goes with --only ${provable.join(" or ")}, not ${only.join(",")}`);
  for (const name of notProving) {
    if (values.prove && given(values[name])) throw new Error(`--${name} and --prove do not go together`);
  }
  const running = values.prove ? only.filter((part) => provable.includes(part)) : only;
  for (const [name, about] of Object.entries(partsOf)) {
    if (!given(values[name as keyof typeof partsOf]) || about.some((part) => running.includes(part)))
      continue;
    throw new Error(`--${name} is for ${about.join(" and ")}, which --only ${only.join(",")} leaves out`);
  }
  return {
    list: values.list,
    help: values.help,
    short,
    prove: values.prove,
    keep: values.keep,
    kills: numberOf("kills", values.kills) ?? (short ? 30 : 1_000),
    reconnects: numberOf("reconnects", values.reconnects) ?? (short ? 200 : 100_000),
    seconds: numberOf("seconds", values.seconds) ?? (short ? shortSeconds : null),
    sessions: numberOf("sessions", values.sessions) ?? 12,
    seed: values.seed ?? newSeed,
    only,
  };
}

function given(value: string | boolean | undefined): boolean {
  return value !== undefined && value !== false;
}

function numberOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number from 1, not ${text}`);
}

function partOf(text: string): Part {
  const part = parts.find((known) => known === text);
  if (part === undefined) throw new Error(`there is no part ${text}: they are ${parts.join(", ")}`);
  return part;
}
