import { describe, expect, it } from "vitest";
import { readOptions } from "./options.ts";

describe("options of the fault tests", () => {
  it("prove by the parts that have something to find", () => {
    expect(readOptions(["--prove"], "s").prove).toBe(true);
    expect(readOptions(["--prove", "--only", "sandboxes"], "s").only).toEqual(["sandboxes"]);
  });

  it.each([
    [["--prove", "--only", "models"], "--prove goes with --only kills or sandboxes"],
    [["--only", "nope"], "there is no part nope"],
    [["--kills", "0"], "--kills takes a whole number from 1"],
  ])("refuse %j, of which nothing would run", (argv, message) => {
    expect(() => readOptions(argv, "s")).toThrow(message);
  });
});
