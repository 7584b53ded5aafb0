import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteRing } from "./byte-ring.ts";
import { CapturedOutput } from "./captured-output.ts";
import { wholeLength, wholeStart } from "./utf8-cut.ts";

const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 });

describe("ByteRing", () => {
  it("keeps exactly the newest bytes", () => {
    fc.assert(
      fc.property(
        chunks,
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 400 }),
        (pushed, capacity, offset) => {
          const ring = new ByteRing(capacity);
          for (const chunk of pushed) ring.push(chunk);
          const all = Buffer.concat(pushed);
          expect(ring.total).toBe(all.length);
          expect(ring.start).toBe(Math.max(0, all.length - capacity));
          expect(ring.from(offset)).toEqual(all.subarray(Math.max(offset, ring.start)));
        },
      ),
    );
  });

  it("grows over its first room without losing the order", () => {
    const ring = new ByteRing(10_000);
    const all = Buffer.from(Array.from({ length: 25_000 }, (_, at) => at % 251));
    for (let at = 0; at < all.length; at += 700) ring.push(all.subarray(at, at + 700));
    expect(ring.from(0)).toEqual(all.subarray(15_000));
  });
});

describe("CapturedOutput", () => {
  it("gives back what fits, whatever the chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 20 })), (texts) => {
        const output = new CapturedOutput(10_000);
        for (const text of texts) output.push(Buffer.from(text));
        expect(output.text()).toBe(Buffer.from(texts.join("")).toString());
        expect(output.truncated).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it("cuts the middle between whole characters and counts what it cut", () => {
    const output = new CapturedOutput(11);
    for (const byte of Buffer.from("ab€€€€€€€yz")) output.push(Buffer.from([byte]));
    // 25 bytes: the head has room for `ab€` and one byte more, the tail for one byte and `€yz`.
    expect(output.text()).toBe("ab€\n[... 15 bytes were cut here ...]\n€yz");
    expect(output.totalBytes).toBe(25);
  });

  it("holds what it keeps and little more, also of a stream of single bytes", () => {
    const count = 300_000;
    const byte = () => Buffer.from([120]);
    const output = new CapturedOutput(2 * count);
    const grown = grownBy(() => {
      for (let at = 0; at < count; at++) output.push(byte());
    });
    const list: Buffer[] = [];
    const naive = grownBy(() => {
      for (let at = 0; at < count; at++) list.push(byte());
    });
    expect(output.totalBytes + list.length).toBe(2 * count);
    expect(naive).toBeGreaterThan(40 * count);
    expect(grown).toBeLessThan(8 * count);
  });
});

/** Bytes of memory that are in use afterwards and were not before. */
function grownBy(call: () => void): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  call();
  return used() - before;
}

it("finds where whole characters begin and end in any cut of a text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), fc.nat(100), (text, at) => {
      const bytes = Buffer.from(text);
      const cut = at % (bytes.length + 1);
      const head = bytes.subarray(0, wholeLength(bytes.subarray(0, cut)));
      const rest = bytes.subarray(cut);
      const tail = rest.subarray(wholeStart(rest));
      expect(text.startsWith(head.toString())).toBe(true);
      expect(text.endsWith(tail.toString())).toBe(true);
      expect(bytes.length - head.length - tail.length).toBeLessThanOrEqual(4);
    }),
  );
});
