import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BerthError } from "../../lib/errors.ts";
import { encodeBody, readBody } from "./body.ts";
import { envelopeOf, errorOf } from "./errors.ts";
import { aliveFrame, encodeOutput, encodeValue, type Frame, readFrames } from "./frames.ts";

/** Bytes in pieces that end wherever the sizes say. */
async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

const sizes = fc.array(fc.nat({ max: 9 }), { maxLength: 60 });

describe("the protocol of sandbox hosts", () => {
  it("reads the same frames whatever pieces they come in", async () => {
    const frame = fc.oneof(
      fc.constant<Frame>({ kind: "alive" }),
      fc
        .jsonValue()
        .map((value): Frame => ({ kind: "end", value: JSON.parse(JSON.stringify(value)) as unknown })),
      fc
        .tuple(fc.nat({ max: 3 }), fc.maxSafeNat(), fc.uint8Array({ maxLength: 40 }))
        .map(([stream, offset, data]): Frame => ({
          kind: "output",
          stream,
          offset,
          data: Buffer.from(data),
        })),
    );
    const encode = (one: Frame) => {
      if (one.kind === "alive") return aliveFrame;
      return one.kind === "output"
        ? encodeOutput(one.stream, one.offset, one.data)
        : encodeValue(one.kind, one.value);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 12 }), sizes, async (frames, cut) => {
        const read: Frame[] = [];
        for await (const one of readFrames(inPieces(Buffer.concat(frames.map(encode)), cut))) read.push(one);
        expect(read).toEqual(frames);
      }),
    );
  });

  it("reads the same call whatever pieces it comes in, and no more than it may have", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        sizes,
        async (value, tail, cut) => {
          const { args, tail: read } = await readBody(inPieces(encodeBody(value, tail), cut), 50);
          expect(args).toEqual(JSON.parse(JSON.stringify(value)));
          expect(read).toEqual(Buffer.from(tail));
          const tooShort = readBody(inPieces(encodeBody(value, tail), cut), tail.length - 1);
          await expect(tooShort).rejects.toMatchObject({ reason: "too_large" });
        },
      ),
    );
  });

  it("knows every error that providers give, and hides every other", () => {
    const folder = join(import.meta.dirname, "..");
    const codes = new Set<string>();
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!/^(bubblewrap|workspaces|files|output|local-process|egress)\/.*(?<!\.test)\.ts$/.test(name))
        continue;
      const source = readFileSync(join(folder, name), "utf8");
      for (const [, code = ""] of source.matchAll(/new BerthError\(\s*"([a-z_]+)"/g)) codes.add(code);
    }
    expect(codes.size).toBeGreaterThan(15);
    const hidden = [...codes].filter((code) => envelopeOf(new BerthError(code, "x")).error.code !== code);
    expect(hidden.filter((code) => code !== "internal")).toEqual([]);
    const own = envelopeOf(new Error("at /var/lib/secret"));
    expect(own.error.code).toBe("sandbox_host_error");
    expect(JSON.stringify(own)).not.toContain("secret");
    expect(errorOf({ error: { code: "forbidden", message: "x", retryable: false } })).toBeNull();
  });
});
