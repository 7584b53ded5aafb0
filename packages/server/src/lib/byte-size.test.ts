import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatByteSize, parseByteSize, roughByteSize } from "./byte-size.ts";

describe("parseByteSize", () => {
  it.each([
    ["4096", 4_096],
    ["10B", 10],
    ["64KiB", 65_536],
    ["64 kib", 65_536],
    ["512MiB", 536_870_912],
    ["1GiB", 1_073_741_824],
    ["1GB", 1_000_000_000],
    ["0", 0],
  ])("reads %s", (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(["", "MiB", "1.5MiB", "-1", "1TiB", "1 M", "99999999999GiB"])("refuses %j", (text) => {
    expect(() => parseByteSize(text)).toThrow(expect.objectContaining({ code: "invalid_size" }));
  });
});

describe("roughByteSize", () => {
  it.each([
    [0, "0 B"],
    [1_023, "1023 B"],
    [758_469, "741 KiB"],
    [1_600_000, "1.5 MiB"],
    [5_368_709_120, "5 GiB"],
  ])("writes %d as %s", (bytes, text) => {
    expect(roughByteSize(bytes)).toBe(text);
  });
});

describe("formatByteSize", () => {
  it.each([
    [0, "0B"],
    [1_500, "1500B"],
    [65_536, "64KiB"],
    [536_870_912, "512MiB"],
    [2_147_483_648, "2GiB"],
  ])("writes %d as %s", (bytes, text) => {
    expect(formatByteSize(bytes)).toBe(text);
  });

  it("writes what parseByteSize reads", () => {
    fc.assert(fc.property(fc.nat(), (bytes) => parseByteSize(formatByteSize(bytes)) === bytes));
  });
});
