import { execFile } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Mutant } from "../mutants.ts";

const run = promisify(execFile);

const repository = resolve(import.meta.dirname, "../../../../..");
const copied = [
  "package.json",
  "packages/server/package.json",
  "packages/server/src",
  "packages/server/test/chaos",
  "packages/server/test/simulation",
];
const linked = ["node_modules", "packages/server/node_modules"];

/** What a seed broke. */
export interface Broken {
  readonly seed: number;
  readonly invariant: string;
  readonly message: string;
}

export function patchOf({ name }: Pick<Mutant, "name">): string {
  return resolve(import.meta.dirname, "../mutants", `${name}.patch`);
}

/** Rejects with what git says when a patch does not apply to the tree in `folder` (default: this repository). */
export async function checkPatch(patch: string, folder = repository): Promise<void> {
  await git(["apply", "--check", patch], folder);
}

/** A copy of the sources in which one bug after another is planted. */
export class Slot {
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  static async make(folder: string, signal: AbortSignal): Promise<Slot> {
    for (const path of copied) await cp(join(repository, path), join(folder, path), { recursive: true });
    for (const path of linked) {
      await mkdir(resolve(folder, path, ".."), { recursive: true });
      await symlink(join(repository, path), join(folder, path));
    }
    return new Slot(folder, signal);
  }

  /** Plays with a bug until something that it must break is broken. Rejects when its patch does not apply. */
  async hunt(mutant: Mutant): Promise<readonly Broken[]> {
    const patch = patchOf(mutant);
    await git(["apply", patch], this.#folder);
    try {
      return await this.play(mutant.breaks, mutant.seeds);
    } finally {
      await git(["apply", "--reverse", patch], this.#folder);
    }
  }

  /** Plays seeds from the first on until one breaks one of the invariants. Rejects when the simulation itself does not come to its end. */
  async play(invariants: readonly string[], seeds: number): Promise<readonly Broken[]> {
    const probe = join(this.#folder, "packages/server/test/simulation/mutation/probe.ts");
    const { stdout } = await run(process.execPath, [probe, invariants.join(), String(seeds)], {
      cwd: this.#folder,
      signal: this.#signal,
      timeout: 60_000 + seeds * secondsPerSeed * 1_000,
      env: { ...process.env, NODE_COMPILE_CACHE: join(this.#folder, "compile-cache") },
    });
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Broken);
  }
}

/** After which a copy is taken to hang: ten times what a seed takes on a busy machine. */
const secondsPerSeed = 5;

/** Without a repository around it: a patch names its paths from the folder on. */
async function git(args: readonly string[], cwd: string): Promise<void> {
  await run("git", args, { cwd, env: { ...process.env, GIT_CEILING_DIRECTORIES: resolve(cwd, "..") } });
}
