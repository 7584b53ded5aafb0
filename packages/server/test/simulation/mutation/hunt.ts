import { mkdtemp } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fullDiskSentence } from "../../support/full-disk.ts";
import { endOnSignals, interrupted, unlessInterrupted } from "../../support/interruption/interruption.ts";
import { ownFolder } from "../../support/interruption/own-folder.ts";
import { real } from "../engine/virtual-globals.ts";
import { type Mutant, mutants } from "../mutants.ts";
import { type Broken, Slot } from "./slot.ts";

/** Seeds that the copy without a bug has to pass first. */
const cleanSeeds = 8;

interface Verdict {
  readonly mutant: Mutant;
  readonly found: Broken | null;
  readonly seconds: number;
  /** Why it was not found. */
  readonly why: string;
}

/** The table of planted bugs as it is printed. */
export function listOfMutants(): string {
  const rows = mutants.map(({ name, breaks, seeds, bug }) => [name, breaks.join(" "), String(seeds), bug]);
  return tableOf([["mutant", "breaks", "within", "bug"], ...rows]);
}

/** Plants each bug in a copy and plays until it is found. Resolves with the exit code: 0 when all are. */
export async function huntMutants(only: readonly string[]): Promise<number> {
  const unknown = only.filter((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown.length > 0) {
    console.error(`There is no mutant ${unknown.join(", ")}: --list names them.`);
    return 2;
  }
  const wanted = only.length === 0 ? mutants : mutants.filter(({ name }) => only.includes(name));
  endOnSignals();
  try {
    return await huntSomewhere(wanted);
  } catch (error) {
    const told = fullDisk(error);
    if (told === null) throw error;
    console.error(told);
    return 1;
  }
}

async function huntSomewhere(wanted: readonly Mutant[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "berth-mutants-"));
  const { remove } = ownFolder(folder);
  try {
    return await huntIn(folder, wanted, interrupted);
  } finally {
    await unlessInterrupted();
    await remove();
  }
}

const fullDisk = (error: unknown): string | null =>
  fullDiskSentence(error, {
    folder: tmpdir(),
    remedy: "Make room there, or name another folder in TMPDIR.",
  });

async function huntIn(folder: string, wanted: readonly Mutant[], signal: AbortSignal): Promise<number> {
  const size = Math.min(availableParallelism(), wanted.length);
  const slots = await Promise.all(
    Array.from({ length: size }, (_, at) => Slot.make(join(folder, `${at + 1}`), signal)),
  );
  const broken = await slots[0]?.play(["any"], cleanSeeds);
  for (const { seed, message } of broken ?? []) console.log(`without a bug seed ${seed} fails: ${message}`);
  if (broken === undefined || broken.length > 0) return 1;
  console.log(`without a bug: ${cleanSeeds} seeds pass`);
  const began = real.elapsed();
  const waiting = [...wanted];
  const verdicts: Verdict[] = [];
  await Promise.all(
    slots.map(async (slot) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const verdict = await judge(slot, next, signal);
        verdicts.push(verdict);
        console.log(`  ${lineOf(verdict)}`);
      }
    }),
  );
  return summary(wanted, verdicts, (real.elapsed() - began) / 1_000);
}

async function judge(slot: Slot, mutant: Mutant, signal: AbortSignal): Promise<Verdict> {
  const began = real.elapsed();
  const took = () => (real.elapsed() - began) / 1_000;
  try {
    const broken = await slot.hunt(mutant);
    const found = broken.find(({ invariant }) => mutant.breaks.includes(invariant)) ?? null;
    const [other] = broken;
    const why =
      other === undefined
        ? `not found in ${mutant.seeds} seeds`
        : `it only broke ${other.invariant}, at seed ${other.seed}`;
    return { mutant, found, seconds: took(), why };
  } catch (thrown) {
    if (signal.aborted || fullDisk(thrown) !== null) throw thrown;
    const { stderr = "", message } = thrown as Error & { stderr?: string };
    return { mutant, found: null, seconds: took(), why: (stderr.trim() || message).slice(0, 600) };
  }
}

function lineOf({ mutant, found, seconds, why }: Verdict): string {
  const time = `${seconds.toFixed(1)} s`;
  if (found === null) return `NOT FOUND ${mutant.name} (${time}): ${why}`;
  return `found ${mutant.name} at seed ${found.seed} (${time}): ${found.message.split("\n")[0]?.slice(0, 160)}`;
}

function summary(wanted: readonly Mutant[], verdicts: readonly Verdict[], seconds: number): number {
  const rows = wanted.flatMap((mutant) => {
    const verdict = verdicts.find((one) => one.mutant === mutant);
    if (verdict === undefined) return [];
    const { found } = verdict;
    const seed = found === null ? "-" : `${found.seed} of ${mutant.seeds}`;
    return [
      [
        mutant.name,
        seed,
        found?.invariant ?? "-",
        verdict.seconds.toFixed(1),
        found === null ? "NOT FOUND" : "found",
      ],
    ];
  });
  console.log(tableOf([["mutant", "seed", "broke", "seconds", "verdict"], ...rows]));
  const found = verdicts.filter((verdict) => verdict.found !== null).length;
  console.log(`${found} of ${wanted.length} planted bugs found in ${seconds.toFixed(0)} s`);
  return found === wanted.length ? 0 : 1;
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lineOfRow = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(column === row.length - 1 ? 0 : (widths[column] ?? 0))).join("  ");
  return rows.map(lineOfRow).join("\n");
}
