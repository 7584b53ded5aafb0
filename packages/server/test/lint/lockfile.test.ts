// `npm ci` of a fresh clone works from anywhere: the lockfiles are complete for every platform and name no host.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

type Entry = {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Record<string, string>;
};

const root = join(import.meta.dirname, "../../../..");
// The peers of the benches have an install of their own each.
const files = ["package-lock.json", ...globSync("bench/peers/*/package-lock.json", { cwd: root })];

it("there are lockfiles of the project and of the benches' peers", () => {
  expect(files.length).toBeGreaterThan(1);
});

describe.each(files)("%s", (file) => {
  const { packages } = JSON.parse(readFileSync(join(root, file), "utf8")) as {
    packages: Record<string, Entry>;
  };

  it("names no registry", () => {
    const named = Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined && !entry.link);
    expect(named).toEqual([]);
  });

  // npm leaves out optional packages that it cannot find; `npm ci` then calls the lockfile out of sync.
  it("holds every platform's optional packages", () => {
    const paths = Object.keys(packages);
    const missing = Object.values(packages)
      .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
      .filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)));
    expect(missing).toEqual([]);
  });
});
