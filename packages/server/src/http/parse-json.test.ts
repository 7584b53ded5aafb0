import { describe, expect, it } from "vitest";
import { parseJson } from "./parse-json.ts";

const parse = (text: string, depth = 3) => parseJson(Buffer.from(text), depth);

describe("parseJson", () => {
  it.each(['{"a":[{}]}', '"[[[[[["', '{"a\\"[[[[[":"]"}', "[[[]],[[]],[[]]]", "7"])("takes %s", (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each(["[[[[]]]]", '{"a":[[{}]]}', '["\\\\",[[[1]]]]', "[".repeat(1_000_000)])(
    "refuses what is nested too deeply",
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: "validation_failed" }));
    },
  );

  it.each(["", "{", "{'a':1}", "[1,]", "NaN", '{"a":1}}'])("refuses %j, which is no JSON", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "malformed_json" }));
  });

  it("refuses bytes that are no UTF-8", () => {
    expect(() => parseJson(new Uint8Array([0x22, 0xc3, 0x28, 0x22]), 3)).toThrow(
      expect.objectContaining({ code: "malformed_json" }),
    );
  });

  it("refuses a field named __proto__, and takes the word in a text", () => {
    expect(() => parse('{"a":{"__proto__":{"b":1}}}')).toThrow(
      expect.objectContaining({ code: "validation_failed" }),
    );
    expect(parse('["__proto__"]')).toEqual(["__proto__"]);
  });

  it.each([String.raw`{"a":{"\u005f_proto__":1}}`, String.raw`["k\ud800"]`, String.raw`{"\udc00":1}`])(
    "refuses %s, whose escapes hide what it is",
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: "validation_failed" }));
    },
  );

  it("takes escaped pairs", () => {
    expect(parse(String.raw`["\ud83d\ude00"]`)).toEqual(["\u{1f600}"]);
  });
});
