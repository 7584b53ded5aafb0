import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["250ms", 250],
    ["1m250ms", 60_250],
    ["2d", 172_800_000],
    ["90s", 90_000],
    [" 10s ", 10_000],
    ["0", 0],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    "",
    "  ",
    "10",
    "s",
    "1.5s",
    "-1s",
    "1s1h",
    "1s 1m",
    "1w",
    "5min",
    "1e3s",
    "1H",
    "99999999999999999999d",
  ])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: "invalid_duration" }));
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0s"],
    [250, "250ms"],
    [1_500, "1s500ms"],
    [5_400_000, "1h30m"],
    [86_400_000, "1d"],
    [1_999.6, "2s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("writes what parseDuration reads", () => {
    fc.assert(fc.property(fc.nat(), (ms) => parseDuration(formatDuration(ms)) === ms));
  });
});
