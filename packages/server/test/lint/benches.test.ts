// The benches take their options and tell their results in one way, and `npm run bench` knows all of them.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { catalogue, listed } from "../../../../bench/support/suite/catalogue.ts";
import { rowsOf, verdictsOf } from "../../../../bench/support/history/report.ts";
import { sectionOf, withResults } from "../../../../bench/support/suite/report.ts";
import { busyNote, judge, type Told, type Verdict } from "../../../../bench/support/tell.ts";

const root = join(import.meta.dirname, "../../../..");
const resultsFile = join(root, "bench/RESULTS.md");
const benches = globSync("bench/*.ts", { cwd: root }).map((file) => basename(file, ".ts"));

function bench(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/bench.ts"), ...args], {
    encoding: "utf8",
  });
  return { status, said: stdout + stderr };
}

describe("npm run bench", { timeout: 30_000 }, () => {
  it("lists every bench that there is, and no other", () => {
    expect(Object.keys(catalogue).toSorted()).toEqual(benches.toSorted());
    for (const name of benches) expect(listed()).toContain(`\n  ${name} `);
  });

  it.each(benches)("%s reads its options as the others do", (name) => {
    const source = readFileSync(join(root, "bench", `${name}.ts`), "utf8");
    expect(source).toContain("readOptions(");
    expect(source).not.toContain("parseArgs");
    expect(source).toContain("[--json file]");
  });

  it("refuses options that nobody knows, and says which there are", () => {
    expect(bench("appends", "--round", "3")).toMatchObject({
      status: 2,
      said: expect.stringContaining("--rounds 5"),
    });
    expect(bench("appends", "--rounds", "none").status).toBe(2);
    expect(bench("sse", "--rounds", "1.5")).toEqual({
      status: 2,
      said: expect.stringContaining("--rounds takes a whole number from 1, not 1.5"),
    });
    expect(bench("appends", "--help")).toEqual({
      status: 0,
      said: expect.stringContaining("--rounds 5"),
    });
    expect(bench("turns", "--only", "T1,T99")).toEqual({
      status: 2,
      said: expect.stringContaining("there is no T99; there is T1"),
    });
  });

  it("says what options take", () => {
    const { said } = bench("turns", "--help");
    expect(said).toContain("--only T1,T1b,T2,T4 (or some), --against CHECKOUT (folder)");
  });

  it.each(benches)("%s has the sizes of its quick run", (name) => {
    const { said } = bench(name, "--help");
    for (const size of Object.keys(catalogue[name]?.quick ?? {})) expect(said).toMatch(`--${size} `);
  });

  it("refuses before it measures where its files or its result cannot be", () => {
    const nowhere = { status: 2, said: expect.stringContaining("there is no folder /nowhere") };
    expect(bench("appends", "--dir", "/nowhere")).toMatchObject(nowhere);
    expect(bench("appends", "--json", "/nowhere/appends.json")).toMatchObject(nowhere);
  });

  it("leaves nothing when it is interrupted, by the terminal and by npm at once", async () => {
    const dir = mkdtempSync(join(tmpdir(), "berth-interrupted-"));
    try {
      const options = ["appends", "--seconds", "60", "--dir", dir];
      const child = spawn(process.execPath, [join(root, "scripts/bench.ts"), ...options], {
        stdio: "ignore",
      });
      const exited = once(child, "exit");
      await vi.waitFor(() => expect(readdirSync(dir, { recursive: true })).not.toEqual([]), 10_000);
      child.kill("SIGINT");
      child.kill("SIGINT");
      expect(await exited).toEqual([130, null]);
      expect(readdirSync(dir)).toEqual([]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it("refuses what it cannot run", () => {
    expect(bench("all", "--round", "3", "--out", "nowhere").status).toBe(2);
    expect(bench("all").status).toBe(2);
    expect(bench("report", "not-there")).toMatchObject({
      status: 2,
      said: expect.stringContaining("there is no folder"),
    });
    expect(bench("report", import.meta.dirname)).toMatchObject({
      status: 2,
      said: expect.stringContaining("has no results"),
    });
    expect(bench("nothing").status).toBe(2);
  });

  it("marks a quick result, and keeps it out of bench/RESULTS.md", () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-results-"));
    try {
      const json = join(folder, "appends.json");
      expect(bench("appends", "--quick", "--seconds", "0.1", "--json", json).status).toBe(0);
      const told = JSON.parse(readFileSync(json, "utf8")) as Told;
      expect(told).toMatchObject({ quick: true, options: ["--quick", "--seconds", "0.1"] });
      expect(told.settings).toContain("1 interleaved rounds of 0.1 s");
      const results = readFileSync(resultsFile, "utf8");
      expect(bench("report", folder, "--write")).toEqual({
        status: 1,
        said: expect.stringContaining("nothing is written: appends ran with --quick"),
      });
      expect(readFileSync(resultsFile, "utf8")).toBe(results);
      const said = expect.stringContaining("**This ran with `--quick`: its figures say nothing.**");
      expect(bench("report", folder)).toEqual({ status: 0, said });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("names a result that is not whole", () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-results-"));
    try {
      for (const text of ['{"bench": "turns"', '{"bench": "turns"}']) {
        writeFileSync(join(folder, "turns.json"), text);
        const said = expect.stringContaining("turns.json is not the whole result of a bench");
        expect(bench("report", folder)).toEqual({ status: 2, said });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what a bench tells", () => {
  const least: Verdict = { id: "T1", what: "rate", value: 0.4, target: 0.33, beyond: 0.5, least: true };
  const most: Verdict = { id: "T4", what: "time", value: 2.5, target: 2, beyond: 1.3 };

  it("stands to its target as it is to be at least or at most", () => {
    expect([0.3, 0.4, 0.5].map((value) => judge({ ...least, value }))).toEqual(["MISSED", "met", "beyond"]);
    expect([2.5, 2, 1.3].map((value) => judge({ ...most, value }))).toEqual(["MISSED", "met", "beyond"]);
    expect(judge({ ...most, value: Number.NaN })).toBe("MISSED");
    expect(judge({ ...most, target: null })).toBe("");
  });

  it("says so when the machine was busy with other things", () => {
    expect(busyNote(2, 2)).toEqual([]);
    expect(busyNote(2.1, 2)).toEqual([expect.stringContaining("The load was 2.1 on 2 processors")]);
  });

  it("compares blocks of turns that stand in its table", () => {
    const blocks = Array.from({ length: 40 }, (_, i) => {
      const turn = (i + 1) * 100;
      // The first is dear, those up to 300 cost 2, the others 3.
      const cpuMs = i === 0 ? 9 : i < 3 ? 2 : 3;
      return { turn, cpuMs, p50Ms: cpuMs, p99Ms: cpuMs };
    });
    const results = { floor: blocks, berth: blocks, compactions: blocks.map(() => 1) };
    const told = verdictsOf(results);
    expect(told.map(({ what, value }) => [what, value])).toEqual([
      ["turns 1901-2100 to turns 101-300, CPU; the floor's 1.50", 1.5],
      ["turns 1901-2100 to turns 101-300, time; the floor's 1.50", 1.5],
    ]);
    const shown = rowsOf(results).map(([turns]) => turns);
    expect(shown).toEqual(expect.arrayContaining(["1-100", "101-200", "201-300", "1901-2000", "2001-2100"]));
  });

  const told: Told = {
    bench: "turns",
    options: ["--peers"],
    about: { machine: "2 x CPU", date: "2030-01-01T00:00", commit: "abc", load: 0.5 },
    loadAtEnd: 1.5,
    tookSeconds: 200,
    settings: "20 tokens",
    rows: [
      ["who", "turns/s"],
      ["berth", "100"],
    ],
    verdicts: [least, most],
    notes: ["mastra is missing: no network"],
    results: {},
  };

  it("becomes a section with where it was taken, its table and its verdicts", () => {
    expect(sectionOf(told)).toBe(`## turns (T1, T1b, T2, T4)

\`npm run bench -- turns --peers\`

2030-01-01T00:00Z, commit abc, 2 x CPU, load 0.5 at its beginning and 1.5 at its end, 3.3 min. 20 tokens.

| who | turns/s |
|---|---|
| berth | 100 |

| | what | figure | target | beyond | |
|---|---|---|---|---|---|
| T1 | rate | 0.40 | ≥ 0.33 | ≥ 0.5 | met |
| T4 | time | 2.50 | ≤ 2 | ≤ 1.3 | **missed** |

mastra is missing: no network`);
  });

  describe("in bench/RESULTS.md", () => {
    const results = readFileSync(resultsFile, "utf8");
    const marked = /<!-- begin (\S+) -->\n\n([^]*?)\n\n<!-- end \1 -->/g;

    it("stands between marks as the report makes it, and nothing that was written by hand does", () => {
      const blocks = [...results.matchAll(marked)];
      expect(blocks).not.toEqual([]);
      for (const [, name = "", block = ""] of blocks) {
        const [title, command, where, ...rest] = block.split("\n\n");
        expect(title).toMatch(new RegExp(`^## ${name}($| \\(T)`));
        expect(command).toMatch(new RegExp(`^\`npm run bench -- ${name}( .*)?\`$`));
        expect(where).toMatch(
          /^[-\dT:]+Z, commit [0-9a-f]+\+?, .*, load [\d.]+ at its beginning and [\d.]+ at its end, .*\.$/,
        );
        // Tables, and notes of one line.
        expect(rest.filter((part) => !part.startsWith("| ") && part.includes("\n"))).toEqual([]);
      }
    });

    it("replaces what stands between its marks, and leaves every word outside of them", () => {
      const all = benches.map((name) => ({ ...told, bench: name }));
      const { text, added } = withResults(results, all);
      for (const one of all) expect(text).toContain(`<!-- begin ${one.bench} -->\n\n${sectionOf(one)}\n`);
      const outside = (of: string) => of.replaceAll(marked, "").replaceAll(/\s+/g, " ");
      expect(outside(text).trim()).toBe(outside(results).trim());
      // Those that have no marks yet are named, and have them from then on.
      expect(added).toEqual(benches.filter((name) => !results.includes(`<!-- begin ${name} -->`)));
      expect(withResults(text, all)).toEqual({ text, added: [] });
    });
  });
});
