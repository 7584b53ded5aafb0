import { describe, expect, it } from "vitest";
import { bytesOf, itemTokens, textTokens } from "./size.ts";
import type { ContextItem } from "./state.ts";

describe("bytes of a value", () => {
  it.each([
    ["", 16],
    ["abcdefgh", 24],
    ["abcdefghi", 32],
    ["abcd\u20ac", 32],
    [1, 0],
    [true, 0],
    [null, 0],
    [undefined, 0],
    [[], 48],
    [["a", 1], 48 + 8 + 24 + 8],
    [{}, 24],
    [{ a: "b" }, 24 + 8 + 24],
  ])("%j: %i", (value, bytes) => {
    expect(bytesOf(value)).toBe(bytes);
  });
});

describe("tokens of an item", () => {
  const base = { seq: 1, messageId: "m", toolUseId: "t" };
  const image = { type: "image", mediaType: "image/png", url: "https://example.com/a.png" } as const;
  const items: readonly (readonly [ContextItem, number])[] = [
    [{ ...base, kind: "user", content: "abcde" }, 6],
    [{ ...base, kind: "system", content: [{ type: "text", text: "abcd" }, image] }, 4 + 1 + 1_000],
    [{ ...base, kind: "summary", text: "abcd" }, 5],
    [{ ...base, kind: "text", text: "abcd" }, 5],
    [{ ...base, kind: "thinking", text: "" }, 4],
    [{ ...base, kind: "tool_use", name: "fs_read", input: { a: 1 } }, 4 + 2 + 2],
    [{ ...base, kind: "tool_use", name: "fs_read", input: undefined }, 4 + 2],
    [{ ...base, kind: "tool_result", name: "x", ok: true, content: "abcd" }, 5],
    [{ ...base, kind: "tool_result", name: "x", ok: false, content: [], note: "abcd" }, 5],
  ];
  it.each(items)("%j: %i", (item, tokens) => {
    expect(itemTokens(item)).toBe(tokens);
  });

  it("a text has one for four characters, rounded up", () => {
    expect(["", "a", "abcd", "abcde"].map(textTokens)).toEqual([0, 1, 1, 2]);
  });
});
