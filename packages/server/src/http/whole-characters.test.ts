import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wholeCharacters } from "./whole-characters.ts";

describe("wholeCharacters", () => {
  it("gives the same text however its bytes are cut, and says where each piece begins", () => {
    const cuts = fc.array(fc.nat(200), { maxLength: 20 });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), cuts, (text, at) => {
        const bytes = Buffer.from(text);
        const edges = [0, ...at.filter((one) => one < bytes.length).toSorted((a, b) => a - b), bytes.length];
        const whole = wholeCharacters();
        const frames = edges.slice(1).flatMap((end, i) => {
          const from = edges[i] ?? 0;
          return [...whole.add(100 + from, bytes.subarray(from, end))];
        });
        frames.push(...whole.rest());
        expect(frames.map((frame) => frame.text).join("")).toBe(text);
        for (const frame of frames)
          expect(
            bytes
              .subarray(frame.offset - 100)
              .toString()
              .startsWith(frame.text),
          ).toBe(true);
      }),
    );
  });

  it("gives what it holds before a gap, and goes on after it", () => {
    const whole = wholeCharacters();
    expect([...whole.add(0, Buffer.from([0x61, 0xe2, 0x82]))]).toEqual([{ offset: 0, next: 1, text: "a" }]);
    expect([...whole.add(50, Buffer.from("b"))]).toEqual([
      { offset: 1, next: 3, text: "\ufffd" },
      { offset: 50, next: 51, text: "b" },
    ]);
  });

  it("does not wait for what can become no character", () => {
    const whole = wholeCharacters();
    expect([...whole.add(0, Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80]))]).toHaveLength(1);
    expect([...whole.add(5, Buffer.from([0xff, 0x61]))]).toEqual([{ offset: 5, next: 7, text: "\ufffda" }]);
  });
});
