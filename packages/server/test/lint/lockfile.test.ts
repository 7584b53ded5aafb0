// `npm ci` of a fresh clone works from anywhere: the lockfile is complete for every platform and names no host.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

type Entry = {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Record<string, string>;
};

const file = join(import.meta.dirname, "../../../../package-lock.json");
const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Entry> };

describe("package-lock.json", () => {
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
