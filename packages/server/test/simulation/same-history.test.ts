import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const sim = join(import.meta.dirname, "sim.ts");

/** What a process of its own says of one seed: how many steps and events it had, and their hash. */
async function play(seed: number): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    sim,
    "--seed",
    String(seed),
    "--steps",
    "0",
  ]);
  return /^seed \d+: (.*)$/m.exec(stdout)?.[1] ?? "";
}

it(
  "a seed gives the same history in every process, and another seed another one",
  { timeout: 60_000 },
  async () => {
    const first = await play(2);
    expect(first).toMatch(/^\d+ steps, \d+ events, hash ([0-9a-f]{8}), again \1$/);
    expect(await play(2)).toBe(first);
    expect(await play(3)).not.toBe(first);
  },
);
