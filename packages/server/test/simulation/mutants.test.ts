import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { mutants } from "./mutants.ts";
import { checkPatch, patchOf } from "./mutation/slot.ts";

const folder = resolve(import.meta.dirname, "mutants");

describe("the planted bugs", () => {
  it("are those of the table", async () => {
    const files = await readdir(folder);
    expect(files.toSorted()).toEqual(mutants.map(({ name }) => `${name}.patch`).toSorted());
    expect(mutants.length).toBeGreaterThanOrEqual(25);
  });

  it("name what they break and a number of seeds that is played in bounded time", () => {
    const vague = mutants.filter(
      ({ bug, breaks, seeds }) => bug === "" || breaks.includes("") || !(seeds > 0 && seeds <= 600),
    );
    expect(vague).toEqual([]);
  });

  it("are planted in production code alone, and apply to it", async () => {
    const broken: string[] = [];
    await Promise.all(
      mutants.map(async (mutant) => {
        const patch = await readFile(patchOf(mutant), "utf8");
        const files = [...patch.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, file = ""]) => file);
        const elsewhere = files.filter((file) => !file.startsWith("packages/server/src/"));
        if (files.length === 0 || elsewhere.length > 0)
          broken.push(`${mutant.name} changes ${elsewhere.join() || "nothing"}`);
        await checkPatch(patchOf(mutant)).catch((error: Error) =>
          broken.push(`${mutant.name}: ${error.message}`),
        );
      }),
    );
    expect(broken).toEqual([]);
  });

  it("would be missed: a patch whose surroundings have changed is refused", async () => {
    const [mutant] = mutants;
    if (mutant === undefined) throw new Error("there are no mutants");
    const made = await mkdtemp(join(tmpdir(), "berth-mutants-test-"));
    try {
      const patch = join(made, "one.patch");
      const text = await readFile(patchOf(mutant), "utf8");
      await writeFile(patch, text);
      await checkPatch(patch);
      await writeFile(patch, text.replace(/^-(?!-)(.*)$/m, "-$1 as it was once"));
      await expect(checkPatch(patch)).rejects.toThrow(/does not apply/);
    } finally {
      await rm(made, { recursive: true });
    }
  });
});
