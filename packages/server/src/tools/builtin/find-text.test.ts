import { describe, expect, it } from "vitest";
import { cpuMsOf } from "../../../test/support/cpu-time.ts";
import { findText, replacePlaces, whyNotFound } from "./find-text.ts";

const again = expect.stringContaining("Read the file again");

describe("whyNotFound", () => {
  it("finds a text with other spaces among many lines that are alike", () => {
    const text = `${"  same\n".repeat(500)}last\n`;
    expect(whyNotFound(text, "same\nsame\nlast")).toEqual([
      expect.stringContaining("begins at line 499"),
      again,
    ]);
  });

  it("does not take the file's lines times the wanted ones", () => {
    const took = cpuMsOf(() =>
      expect(whyNotFound("  x\n".repeat(200_000), `${"x\n".repeat(50_000)}y`)).toEqual([again]),
    );
    expect(took).toBeLessThan(1_000);
  });
});

describe("findText", () => {
  it("finds and replaces what split() does", () => {
    for (const [text, wanted] of [
      ["aaaaa", "aa"],
      ["abababac", "abac"],
      ["aabaaabaaac", "aabaaac"],
      ["x", "y"],
      ["xx", "x"],
      ["ä\n😀ä", "😀ä"],
    ] as const) {
      const places = findText(text, wanted);
      expect(places.length).toBe(text.split(wanted).length - 1);
      expect(places.every((place) => text.startsWith(wanted, place))).toBe(true);
      expect(replacePlaces(text, { places, length: wanted.length, replacement: "$&" })).toBe(
        text.split(wanted).join("$&"),
      );
    }
  });

  it("does not stall on texts that nearly repeat", () => {
    const took = cpuMsOf(() =>
      expect(findText("a".repeat(2 ** 20), `${"a".repeat(8_000)}b${"a".repeat(8_000)}`)).toEqual([]),
    );
    expect(took).toBeLessThan(1_000);
  });
});
