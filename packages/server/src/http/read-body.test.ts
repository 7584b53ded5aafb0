import { describe, expect, it } from "vitest";
import { readBody } from "./read-body.ts";

const url = "http://berth.test/";

/** A body that says nothing of its length; `taken` counts what was read of it. */
function chunked(pieces: number, size: number) {
  const state = { taken: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (state.taken === pieces) return controller.close();
        state.taken += 1;
        controller.enqueue(new Uint8Array(size));
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { request: new Request(url, { method: "POST", body, duplex: "half" }), state };
}

const upTo = (bytes: number) => ({ bytes, setting: "uploadLimit" }) as const;

describe("readBody", () => {
  it("gives all bytes, with a length and without", async () => {
    const told = new Request(url, { method: "POST", body: "abc", headers: { "content-length": "3" } });
    expect(await readBody(told, upTo(3))).toEqual(new Uint8Array(Buffer.from("abc")));
    expect((await readBody(chunked(3, 10).request, upTo(30))).byteLength).toBe(30);
    expect((await readBody(new Request(url), upTo(0))).byteLength).toBe(0);
  });

  it("refuses a length far over the limit before it reads", async () => {
    const { request, state } = chunked(1, 1);
    request.headers.set("content-length", String(30 + 16 * 1_048_576 + 1));
    await expect(readBody(request, upTo(30))).rejects.toMatchObject({
      code: "body_too_large",
      details: { limit: 30 },
    });
    expect(state.taken).toBe(0);
  });

  it.each([null, "1000"])("drops what is over the limit (length %s)", async (length) => {
    const { request, state } = chunked(100, 10);
    if (length !== null) request.headers.set("content-length", length);
    await expect(readBody(request, upTo(30))).rejects.toMatchObject({ code: "body_too_large" });
    expect(state).toEqual({ taken: 100, cancelled: false });
  });

  it("drops no more than 16 MiB", async () => {
    const { request, state } = chunked(1_000, 1_048_576);
    await expect(readBody(request, upTo(30))).rejects.toMatchObject({ code: "body_too_large" });
    expect(state).toEqual({ taken: 17, cancelled: true });
  });

  it("names the limit as people write it, and its setting", async () => {
    const refused = readBody(chunked(33, 1_048_576).request, upTo(32 * 1_048_576));
    await expect(refused).rejects.toThrow(
      "The body may have at most 32MiB: send less, or raise the setting uploadLimit.",
    );
  });
});
