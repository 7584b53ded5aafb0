// SUP-01: what production brings along is known, runs nothing at its installation and may be used; the tree holds no secrets.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { endpoints } from "../../src/http/routes.ts";

interface Entry {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const root = join(import.meta.dirname, "../../../..");
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));
const { packages } = read("package-lock.json") as { packages: Record<string, Entry> };
const inProduction = Object.entries(packages).filter(
  ([path, { dev, devOptional, link }]) =>
    path.startsWith("node_modules/") && dev !== true && devOptional !== true && link !== true,
);

/** Licences that ask for nothing but their own text. */
const allowed = /^\(?(MIT|Apache-2\.0|ISC|0BSD|BSD-[23]-Clause|(\S+ OR )BSD-3-Clause)\)?$/;

/** What keys and tokens look like, and private keys. */
const secretShapes: Readonly<Record<string, RegExp>> = {
  "a private key": /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}/,
  "an AWS key": /\bAKIA[0-9A-Z]{16}\b/,
  "a GitHub token": /\bgh[pousr]_[A-Za-z0-9]{36}\b/,
  "a Slack token": /\bxox[abprs]-[0-9]{6,}-/,
  "a Google key": /\bAIza[0-9A-Za-z_-]{35}\b/,
  "a provider's key": /\bsk-(?:ant-|proj-)?[A-Za-z0-9]{32,}\b/,
  "a Berth key": /\bbrt_[A-Za-z0-9_-]{43}\b/,
};

function tracked(): readonly string[] {
  if (!existsSync(join(root, ".git"))) return walk("");
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" });
  return listed.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
}

/** For a tree that was unpacked and not cloned. */
function walk(folder: string): readonly string[] {
  const skipped = new Set(["node_modules", ".tools", "coverage", "test-results", "berth-data"]);
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}

function secretsIn(text: string): readonly string[] {
  return Object.keys(secretShapes).filter((what) => secretShapes[what]?.test(text) === true);
}

describe("SUP-01: the packages of production", () => {
  it("are some", () => {
    expect(inProduction.length).toBeGreaterThan(20);
  });

  it("run nothing when they are installed", () => {
    expect(inProduction.filter(([, entry]) => entry.hasInstallScript === true)).toEqual([]);
  });

  it("have licences that ask for nothing", () => {
    const other = inProduction.filter(([, { license }]) => license === undefined || !allowed.test(license));
    expect(other.map(([path, { license }]) => [path, license])).toEqual([]);
    expect(
      ["GPL-3.0", "AGPL-3.0-only", "SSPL-1.0", "UNLICENSED", "MIT AND GPL-2.0"].filter((name) =>
        allowed.test(name),
      ),
    ).toEqual([]);
  });

  it("are those that the lockfile pins, each to one version", () => {
    for (const [path, entry] of Object.entries(packages)) {
      if (path.includes("node_modules/")) continue;
      const own = read(join(path, "package.json")) as Entry;
      for (const group of ["dependencies", "devDependencies"] as const) {
        expect({ path, group, pinned: entry[group] ?? {} }).toEqual({
          path,
          group,
          pinned: own[group] ?? {},
        });
        const ranges = Object.entries(own[group] ?? {}).filter(([, version]) =>
          /[\^~*<>|x ]/.test(version.replace(/^npm:.*@/, "")),
        );
        expect({ path, group, ranges }).toEqual({ path, group, ranges: [] });
      }
    }
  });
});

describe("SUP-01: the tree", () => {
  it("holds no secret", () => {
    const found = tracked().flatMap((path) => {
      if (statSync(join(root, path)).size > 2_000_000) return [];
      return secretsIn(readFileSync(join(root, path), "utf8")).map((what) => `${what} in ${path}`);
    });
    expect(found).toEqual([]);
  });

  it("would be found to hold one", () => {
    const planted = [
      `AKIA${"A".repeat(16)}`,
      `ghp_${"a".repeat(36)}`,
      `brt_${"a".repeat(43)}`,
      `sk-${"a".repeat(40)}`,
    ];
    expect(planted.map((text) => secretsIn(`key: "${text}"`).length)).toEqual([1, 1, 1, 1]);
    const key = ["-----BEGIN EC PRIVATE", `KEY-----\n${"A".repeat(64)}`].join(" ");
    expect(secretsIn(key)).toEqual(["a private key"]);
  });

  it("holds no key files and no source maps, and makes none", () => {
    expect(tracked().filter((path) => /\.(pem|key|p12|pfx|map)$|(^|\/)\.env/.test(path))).toEqual([]);
    expect(readFileSync(join(root, "tsconfig.json"), "utf8")).not.toMatch(/"(inline)?sourceMap": true/i);
  });

  it("has no door for debugging", () => {
    const doors = endpoints.filter(({ path }) => /debug|pprof|inspect|heap|trace|eval|_internal/i.test(path));
    expect(doors.map(({ path }) => path)).toEqual([]);
    const inspecting = tracked().filter(
      (path) =>
        /^(package\.json|berth|scripts\/)/.test(path) &&
        /--inspect/.test(readFileSync(join(root, path), "utf8")),
    );
    expect(inspecting).toEqual([]);
  });

  it("builds no image that runs as root", () => {
    const images = tracked().filter((path) => /(^|\/)(Docker|Container)file/.test(path));
    const asRoot = images.filter((path) => {
      const users = [...readFileSync(join(root, path), "utf8").matchAll(/^USER\s+(\S+)/gm)];
      return /^(root|0)?(:|$)/.test(users.at(-1)?.[1] ?? "");
    });
    expect(asRoot).toEqual([]);
  });
});
