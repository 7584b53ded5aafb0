import { describe, expect, it } from "vitest";
import { readOptions } from "./options.ts";

describe("options of the simulation", () => {
  it("are 300 seeds where nothing is said", () => {
    expect(readOptions([])).toEqual({ what: "many", from: 1, seeds: 300, steps: 40, shrink: true });
    expect(readOptions(["--seed", "59", "--no-shrink", "--steps", "0"])).toEqual({
      what: "one",
      seed: 59,
      steps: 0,
      shrink: false,
    });
    expect(readOptions(["--mutants", "--only", "a,b"])).toEqual({ what: "mutants", only: ["a", "b"] });
  });

  it.each(["0", "-1", "abc", "1.5", ""])("refuse %j seeds, of which all would pass", (seeds) => {
    expect(() => readOptions([`--seeds=${seeds}`])).toThrow("--seeds takes a whole number from 1");
  });

  it.each([
    ["--only timers-never-fire", "use it with --mutants"],
    ["--seed 5 --seeds 6", "--seeds and --seed do not go together"],
    ["--hours 24 --from 2", "--from and --hours do not go together"],
    ["--mutants --seeds 10", "--seeds and --mutants do not go together"],
    ["--seedz 3", "Unknown option"],
    ["59", "Unexpected argument"],
  ])("refuse %s, which would do something else than what was asked", (argv, message) => {
    expect(() => readOptions(argv.split(" "))).toThrow(message);
  });
});
