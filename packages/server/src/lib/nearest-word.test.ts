import { describe, expect, it } from "vitest";
import { nearestWord } from "./nearest-word.ts";

const words = ["port", "host", "logLevel", "logFormat", "data"];

describe("nearestWord", () => {
  it.each([
    ["prot", null],
    ["pott", "port"],
    ["loglevel", "logLevel"],
    ["logLvl", "logLevel"],
    ["logFromat", "logFormat"],
    ["hosts", "host"],
    ["somethingElse", null],
    ["", null],
  ])("takes %j for %j", (word, meant) => {
    expect(nearestWord(word, words)).toBe(meant);
  });
});
