import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addPiece, type LiveText } from "./live-text.ts";

const at = (attempt: number, text: string): LiveText => ({ attempt, text });

describe("a piece of live text", () => {
  it.each([
    ["begins a text", null, { attempt: 1, offset: 0, text: "ab" }, at(1, "ab")],
    ["is laid on its place", at(1, "ab"), { attempt: 1, offset: 2, text: "cd" }, at(1, "abcd")],
    [
      "changes nothing when it came before",
      at(1, "abcd"),
      { attempt: 1, offset: 0, text: "ab" },
      at(1, "abcd"),
    ],
    ["adds what is new in it", at(1, "abc"), { attempt: 1, offset: 1, text: "bcde" }, at(1, "abcde")],
    ["waits after a gap", at(1, "ab"), { attempt: 1, offset: 4, text: "ef" }, at(1, "ab")],
    [
      "fills a gap with the part so far",
      at(1, "ab"),
      { attempt: 1, offset: 0, text: "abcdef" },
      at(1, "abcdef"),
    ],
    ["of a higher attempt replaces all", at(1, "ab"), { attempt: 2, offset: 0, text: "x" }, at(2, "x")],
    [
      "of a higher attempt in its middle leaves nothing of the old text",
      at(1, "ab"),
      { attempt: 2, offset: 3, text: "x" },
      at(2, ""),
    ],
    ["of a lower attempt is dropped", at(2, "ab"), { attempt: 1, offset: 2, text: "x" }, at(2, "ab")],
    [
      "waits when it is the first one seen of a block's middle",
      null,
      { attempt: 1, offset: 3, text: "x" },
      at(1, ""),
    ],
  ])("%s", (_, current, piece, expected) => expect(addPiece(current, piece)).toEqual(expected));

  it("never makes a text that is not a beginning of the newest attempt's", () => {
    const attempts = fc.array(fc.string({ unit: "grapheme", maxLength: 12 }), { minLength: 1, maxLength: 3 });
    const picks = fc.array(fc.tuple(fc.nat(2), fc.nat(12), fc.nat(12)), { maxLength: 40 });
    fc.assert(
      fc.property(attempts, picks, (texts, cuts) => {
        let current: LiveText | null = null;
        for (const [pick, from, length] of cuts) {
          const attempt = pick % texts.length;
          const text = texts[attempt] ?? "";
          const offset = Math.min(from, text.length);
          current = addPiece(current, { attempt, offset, text: text.slice(offset, offset + length) });
          expect(texts[current.attempt]?.startsWith(current.text)).toBe(true);
        }
      }),
    );
  });
});
