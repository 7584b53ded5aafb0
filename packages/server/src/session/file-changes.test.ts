import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMsOf } from "../../test/support/cpu-time.ts";
import { hashOf } from "../../test/support/session/ids.ts";
import {
  changeFiles,
  type FileChanges,
  filesAfter,
  type FileStep,
  isAmong,
  type KeptFile,
  mostFileChanges,
} from "./file-changes.ts";

const write = (path: string, number: number): FileStep => ({
  type: "write",
  path,
  hash: hashOf(number),
  size: number,
});
const remove = (path: string): FileStep => ({ type: "remove", path });
const move = (path: string, to: string): FileStep => ({ type: "move", path, to });
const next = (changes: FileChanges, step: FileStep) => changeFiles(changes, step) ?? changes;
const after = (...steps: readonly FileStep[]) => steps.reduce<FileChanges>(next, []);
const kept = (path: string, number: number): KeptFile => ({ path, hash: hashOf(number), size: number });

/** Path and number of each file. */
const shown = (files: readonly KeptFile[]) => files.map(({ path, size }) => `${path} ${size}`);

describe("changes of files after a manifest", () => {
  const manifest = [kept("a", 1), kept("d/x", 2), kept("d/y", 3), kept("d-z", 4)];

  it.each<[string, readonly FileStep[], readonly string[]]>([
    ["nothing", [], ["a 1", "d/x 2", "d/y 3", "d-z 4"]],
    ["a file that is new", [write("n", 9)], ["a 1", "d-z 4", "d/x 2", "d/y 3", "n 9"]],
    ["a file that is replaced", [write("a", 9), write("a", 8)], ["a 8", "d-z 4", "d/x 2", "d/y 3"]],
    ["a folder that is removed", [remove("d")], ["a 1", "d-z 4"]],
    [
      "a folder that is moved, and one of its files",
      [move("d", "e/f"), move("e/f/x", "b")],
      ["a 1", "b 2", "d-z 4", "e/f/y 3"],
    ],
    [
      "a file in the place of a folder",
      [move("d", "e"), write("d", 9)],
      ["a 1", "d 9", "d-z 4", "e/x 2", "e/y 3"],
    ],
    ["a folder where a tool removed a file", [write("a/b", 9)], ["a/b 9", "d-z 4", "d/x 2", "d/y 3"]],
    [
      "what a tool made in the place of a file that was new, which is not what the manifest had there",
      [write("d", 9), move("d/x", "b")],
      ["a 1", "d 9", "d-z 4"],
    ],
    [
      "a folder where a tool removed a file that was new",
      [write("n", 9), write("n/m", 8), write("n/l", 7), remove("n/l")],
      ["a 1", "d-z 4", "d/x 2", "d/y 3", "n/m 8"],
    ],
    [
      "a folder that is moved to where it is",
      [write("d/x", 9), remove("d/y"), move("d", "./d")],
      ["a 1", "d-z 4", "d/x 9"],
    ],
    [
      "names that mean something to JavaScript",
      [write("__proto__", 9), move("a", "constructor")],
      ["__proto__ 9", "constructor 1", "d-z 4", "d/x 2", "d/y 3"],
    ],
    ["what was there only for a while", [write("n/m", 9), remove("n")], ["a 1", "d-z 4", "d/x 2", "d/y 3"]],
    ["what no manifest knows", [move("tool/made", "b"), remove("gone")], ["a 1", "d-z 4", "d/x 2", "d/y 3"]],
    ["other spellings of a path", [write("./n//m", 9), remove("d/./x")], ["a 1", "d-z 4", "d/y 3", "n/m 9"]],
  ])("%s", (_, steps, expected) => {
    expect(shown(filesAfter(manifest, after(...steps)))).toEqual(expected);
  });

  it("do not grow by what is done again, or undone", () => {
    expect(after(write("a", 1), write("a", 2), write("a", 3))).toHaveLength(1);
    expect(after(move("a", "b"), move("b", "a"))).toEqual([{ path: "b", now: null }]);
    expect(after(write("d/a", 1), write("d/b", 2), remove("d"))).toEqual([{ path: "d", now: null }]);
    expect(after(remove("d"), write("d/a", 1), remove("d/a"))).toEqual([{ path: "d", now: null }]);
    const changed = after(write("d/a", 1), move("e", "d/b"), remove("d/c"));
    expect(next(changed, move("d", "d"))).toEqual(changed);
    expect(next(next(changed, move("d", "f")), move("f", "d"))).toEqual([
      ...changed,
      { path: "f", now: null },
    ]);
  });

  it("are bounded: beyond that only what needs no room is kept", () => {
    const allButOne = Array.from({ length: mostFileChanges - 1 }, (_, n) => ({
      path: `f${n}`,
      now: { hash: hashOf(n), size: n },
    }));
    const full = next(
      allButOne.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      write("last", 1),
    );
    expect(full).toHaveLength(mostFileChanges);
    expect(changeFiles(full, write("more", 1))).toBeNull();
    expect(shown(filesAfter([], next(full, write("f7", 77))))).toContain("f7 77");
    expect(filesAfter([], next(full, remove("f7")))).toHaveLength(mostFileChanges - 1);
  });
});

it.each<[string, (path: string) => FileStep]>([
  ["a file that is written", (path) => write(path, 1)],
  ["a file that is removed", remove],
  ["a file that is moved away", (path) => move(path, "b")],
  ["a file that is moved there", (path) => move("a/b", path)],
  ["a file whose folder is moved", (path) => move("a", path.slice(0, path.lastIndexOf("/")))],
])("are not kept where no manifest reaches: %s", (_, stepAt) => {
  const changes = after(write("a/b", 1));
  const deepest = "d/".repeat(126);
  expect(changeFiles(changes, stepAt(`${deepest}d`))).not.toBeNull();
  expect(changeFiles(changes, stepAt(`${deepest}d/d/d`))).toBeNull();
});

it("are bounded when folders are moved into each other again and again", () => {
  const name = "n".repeat(200);
  let changes = after(...Array.from({ length: 500 }, (_, n) => write(`a/${n}`, n)));
  for (let n = 0; n < 100; n++)
    changes = next(next(changes, move("a", `${name}/${name}/${name}/b`)), move(name, "a"));
  expect(changes.reduce((sum, { path: { length } }) => sum + length, 0)).toBeLessThan(5_000_000);
});

// The naive way took 80 s, in which a server did nothing else.
describe("however many and deep they are", () => {
  it("are counted to files without asking each folder of each", () => {
    const deep = "d/".repeat(1_500);
    const many = Array.from({ length: 1_000 }, (_, n) => ({
      path: `${deep}${1_000 + n}`,
      now: { hash: hashOf(n), size: n },
    }));
    expect(cpuMsOf(() => expect(filesAfter([], many)).toHaveLength(1_000))).toBeLessThan(5_000);
  });
});

/** A file system: contents by path; false for what it refuses. */
class Model {
  files: Map<string, number>;

  constructor(files: ReadonlyMap<string, number>) {
    this.files = new Map(files);
  }

  #inside = (path: string) => [...this.files.keys()].filter((one) => one.startsWith(`${path}/`));
  #isThere = (path: string) => this.files.has(path) || this.#inside(path).length > 0;
  #isInFile = (path: string) => [...this.files.keys()].some((one) => path.startsWith(`${one}/`));

  take(step: FileStep): boolean {
    const { path } = step;
    if (step.type === "write") {
      if (this.#inside(path).length > 0 || this.#isInFile(path)) return false;
      this.files.set(path, step.size);
      return true;
    }
    if (!this.#isThere(path)) return false;
    const names = [path, ...this.#inside(path)].filter((name) => this.files.has(name));
    if (step.type === "move") {
      const { to } = step;
      if (this.#isThere(to) || this.#isInFile(to) || to.startsWith(`${path}/`)) return false;
      for (const name of names) this.files.set(to + name.slice(path.length), this.files.get(name) ?? 0);
    }
    for (const name of names) this.files.delete(name);
    return true;
  }
}

const path = fc
  .array(fc.constantFrom("a", "b", "a-"), { minLength: 1, maxLength: 3 })
  .map((names) => names.join("/"));
const number = fc.integer({ min: 1, max: 99 });
const step = fc.oneof(
  fc.tuple(path, number).map(([at, content]) => write(at, content)),
  path.map(remove),
  fc.tuple(path, path).map(([from, to]) => move(from, to)),
);

describe("filesAfter", () => {
  it("has the files that a file system has which was told the same", () => {
    let moves = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(path, number), { maxLength: 12, size: "max" }),
        fc.array(step, { maxLength: 40, size: "max" }),
        (begin, steps) => {
          const model = new Model(new Map());
          for (const [at, content] of begin) model.take(write(at, content));
          const manifest = [...model.files].map(([at, content]) => kept(at, content));
          let changes: FileChanges = [];
          for (const one of steps) {
            if (!model.take(one)) continue;
            if (one.type === "move") moves++;
            changes = next(changes, one);
            const names = changes.map((change) => change.path);
            expect(names).toEqual([...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1)));
          }
          const expected = [...model.files].map(([at, content]) => `${at} ${content}`);
          expect(shown(filesAfter(manifest, changes)).toSorted()).toEqual(expected.toSorted());
          expect(JSON.parse(JSON.stringify(changes))).toEqual(changes);
        },
      ),
      { numRuns: 1_000 },
    );
    expect(moves).toBeGreaterThan(500);
  });
});

describe("isAmong", () => {
  const files = [kept("a", 1), kept("d/x", 2), kept("ef", 3)];

  it.each(["a", "d", "d/x", "./d//x", "d/"])("finds %s, which is a file or has one in it", (place) => {
    expect(isAmong(files, place)).toBe(true);
  });

  it.each(["b", "d/y", "a/b", "d/x/y", "e", "x"])("does not find %s", (place) => {
    expect(isAmong(files, place)).toBe(false);
  });
});
