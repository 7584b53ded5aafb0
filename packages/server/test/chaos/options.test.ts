import { describe, expect, it } from "vitest";
import { readOptions } from "./options.ts";

describe("options of the fault tests", () => {
  it("prove by the parts that have something to find", () => {
    expect(readOptions(["--prove"], "s").prove).toBe(true);
    expect(readOptions(["--prove", "--only", "sandboxes"], "s").only).toEqual(["sandboxes"]);
  });

  it("are taken where a part that runs is about them", () => {
    const argv = ["--only", "restore,reconnects", "--sessions", "5", "--reconnects", "7"];
    expect(readOptions(argv, "s")).toMatchObject({ sessions: 5, reconnects: 7 });
    expect(readOptions(["--short", "--kills", "9"], "s")).toMatchObject({ kills: 9, reconnects: 200 });
    expect(readOptions(["--prove", "--seconds", "9", "--sessions", "3"], "s").seconds).toBe(9);
  });

  it.each([
    [["--prove", "--only", "models"], "--prove goes with --only kills or sandboxes"],
    [["--only", "nope"], "there is no part nope"],
    [["--kills", "0"], "--kills takes a whole number from 1"],
    [
      ["--only", "kills", "--reconnects", "5"],
      "--reconnects is for reconnects, which --only kills leaves out",
    ],
    [["--only", "models,disk", "--sessions", "5"], "--sessions is for kills and restore"],
    [["--only", "sandboxes", "--prove", "--seconds", "5"], "--seconds is for kills"],
    [["--short", "--prove"], "--short and --prove do not go together"],
    [["--prove", "--kills", "5"], "--kills and --prove do not go together"],
  ])("refuse %j, of which nothing would run, or not what was asked for", (argv, message) => {
    expect(() => readOptions(argv, "s")).toThrow(message);
  });
});
