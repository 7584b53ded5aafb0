import fc from "fast-check";
import { expect, it } from "vitest";
import {
  charge,
  creditFrame,
  dataHeader,
  eofFrame,
  FrameReader,
  frameKinds,
  maxFrameBytes,
  messageFrame,
} from "./frames.ts";

const channel = fc.integer({ min: 1, max: 0xffff_ffff });
const frame = fc.oneof(
  fc.dictionary(fc.string(), fc.string({ unit: "binary" })).map((message) => ({
    kind: frameKinds.message,
    bytes: messageFrame(message),
  })),
  fc.tuple(channel, fc.uint8Array({ maxLength: 300 })).map(([id, data]) => ({
    kind: frameKinds.data,
    bytes: Buffer.concat([dataHeader(id, data.length), data]),
  })),
  channel.map((id) => ({ kind: frameKinds.eof, bytes: eofFrame(id) })),
  fc
    .tuple(channel, channel)
    .map(([id, bytes]) => ({ kind: frameKinds.credit, bytes: creditFrame(id, bytes) })),
);

it("reads the frames that were written, however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 50 })), (frames, cuts) => {
      const stream = Buffer.concat(frames.map(({ bytes }) => bytes));
      const reader = new FrameReader();
      const read: { kind: number; payload: Buffer }[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = cuts[turn % Math.max(1, cuts.length)] ?? 7;
        for (const { kind, payload } of reader.push(stream.subarray(at, at + size))) {
          read.push({ kind, payload: Buffer.from(payload) });
        }
        at += size;
      }
      expect(read).toEqual(frames.map(({ kind, bytes }) => ({ kind, payload: bytes.subarray(5) })));
    }),
  );
});

it("refuses lengths that no frame has before anything of it has come", () => {
  for (const length of [0, maxFrameBytes + 1, 100_000_000, 0xffff_ffff]) {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(length);
    expect(() => new FrameReader().push(header)).toThrow(RangeError);
    // Also when it stands behind an honest one, and when it comes byte by byte.
    expect(() => new FrameReader().push(Buffer.concat([eofFrame(1), header]))).toThrow(RangeError);
    const reader = new FrameReader();
    expect(() => [...header].forEach((byte) => reader.push(Buffer.from([byte])))).toThrow(RangeError);
  }
  expect(new FrameReader().push(Buffer.concat([eofFrame(1), eofFrame(2)]))).toHaveLength(2);
});

it("charges small chunks for the frame that they need", () => {
  expect([charge(1), charge(1_024), charge(60_000)]).toEqual([1_024, 1_024, 60_000]);
});
