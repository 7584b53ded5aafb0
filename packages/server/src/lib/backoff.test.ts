import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

const almostOne = () => 0.999_999_999;

describe("backoffMs", () => {
  it("doubles its upper bound with each attempt", () => {
    const bounds = [0, 1, 2, 3].map((attempt) =>
      backoffMs({ attempt, baseMs: 100, capMs: 60_000, random: almostOne }),
    );
    expect(bounds).toEqual([99, 199, 399, 799]);
  });

  it("spreads over the whole range down to nothing", () => {
    expect(backoffMs({ attempt: 3, baseMs: 100, capMs: 60_000, random: () => 0 })).toBe(0);
    expect(backoffMs({ attempt: 3, baseMs: 100, capMs: 60_000, random: () => 0.5 })).toBe(400);
  });

  it("stays below the cap after any number of attempts", () => {
    expect(backoffMs({ attempt: 10_000, baseMs: 100, capMs: 5_000, random: almostOne })).toBe(4_999);
  });

  it("is random when nothing is injected", () => {
    const waits = new Set(
      Array.from({ length: 50 }, () => backoffMs({ attempt: 20, baseMs: 100, capMs: 1e9 })),
    );
    expect(waits.size).toBeGreaterThan(1);
  });
});
