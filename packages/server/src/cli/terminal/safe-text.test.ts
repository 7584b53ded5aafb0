import { describe, expect, it } from "vitest";
import { exactJson, oneLine, safeText } from "./safe-text.ts";

describe("text for a terminal", () => {
  it.each([
    ["an escape sequence", "a\u001b[31mb\u001b]0;title\u0007c", "a[31mb]0;titlec"],
    ["a C1 control", "a\u009b31mb", "a31mb"],
    ["a carriage return and a backspace", "safe\r\b\bevil", "safeevil"],
    ["bidirectional marks", "a\u202eb\u2066c\u200fd\u061ce", "abcde"],
    ["what has no width", "a\u200bb\u2060c\ufeffd\u{e0041}e", "abcde"],
    ["line separators", "a\u2028b\u2029c", "abc"],
    ["DEL and NUL", "a\u007fb\u0000c", "abc"],
  ])("loses %s", (_, text, safe) => expect(safeText(text)).toBe(safe));

  it("keeps tabs, newlines, other scripts and emoji", () => {
    const text = "tab\tline\nünïcödé 日本語 עברית 👩‍👩‍👧";
    expect(safeText(text)).toBe(text);
  });

  it("on one line is cut between characters", () => {
    expect(oneLine("  a\n b\u001b[2J  c ", 99)).toBe("a b[2J c");
    expect(oneLine("👍👍👍👍", 3)).toBe("👍👍…");
  });
});

describe("arguments to approve", () => {
  it("AGT-03: hide nothing", () => {
    const value = { command: "ls\u001b[2K\r\u202e\u200b\u2028 \ud800 \u{e0041}\n" };
    expect(exactJson(value)).toBe(
      '{\n  "command": "ls\\u001b[2K\\r\\u202e\\u200b\\u2028 \\ud800 \\udb40\\udc41\\n"\n}',
    );
  });

  it("AGT-03: are the same JSON", () => {
    const value = { a: "\u202e", b: ["\u{e0041}", "👩‍👧", { c: null }] };
    expect(JSON.parse(exactJson(value))).toEqual(value);
  });
});
