import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BerthError } from "../lib/errors.ts";
import type { Blobs } from "./blobs.ts";

export interface BlobsHarness {
  readonly blobs: Blobs;
  /** What was noted in the store, as `org hash size`, in order. */
  readonly noted: readonly string[];
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | null) => (data === null ? null : new TextDecoder().decode(data));
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** What every blob store must do. The harness is made anew, and empty, for each test. */
export function blobsConformance(name: string, create: () => Promise<BlobsHarness>): void {
  describe(`blobs: ${name}`, () => {
    let harness: BlobsHarness;
    beforeEach(async () => {
      harness = await create();
    });
    afterEach(() => harness.close());

    it("gives back what was put, under its SHA-256", async () => {
      const data = bytes("hello, blob");
      const put = await harness.blobs.put("org_1", data);
      expect(put).toEqual({ hash: sha256(data), size: 11 });
      expect(await harness.blobs.get("org_1", put.hash)).toEqual(data);
      expect(await harness.blobs.has("org_1", put.hash)).toBe(true);
    });

    it("keeps no bytes, and many", async () => {
      for (const data of [new Uint8Array(0), new Uint8Array(3_000_000).map((_, index) => index % 251)]) {
        const { hash, size } = await harness.blobs.put("org_1", data);
        expect(size).toBe(data.length);
        expect(sha256((await harness.blobs.get("org_1", hash)) ?? bytes("nothing"))).toBe(hash);
      }
    });

    it("gives a range, as far as there is one", async () => {
      const { hash } = await harness.blobs.put("org_1", bytes("0123456789"));
      const range = async (offset: number, length: number) =>
        text(await harness.blobs.get("org_1", hash, { offset, length }));
      expect(await range(2, 3)).toBe("234");
      expect(await range(0, 10)).toBe("0123456789");
      expect(await range(8, 100)).toBe("89");
      expect(await range(10, 1)).toBe("");
      expect(await range(99, 1)).toBe("");
    });

    it("stores equal bytes once, also when they are put at the same time, and notes each put", async () => {
      const data = bytes("twice");
      const puts = await Promise.all([1, 2, 3].map(() => harness.blobs.put("org_1", data)));
      expect(new Set(puts.map(({ hash }) => hash)).size).toBe(1);
      expect(harness.noted).toEqual(Array.from({ length: 3 }, () => `org_1 ${sha256(data)} 5`));
    });

    it("I10: shares nothing between two orgs", async () => {
      const { hash } = await harness.blobs.put("org_1", bytes("secret"));
      expect(await harness.blobs.has("org_2", hash)).toBe(false);
      expect(await harness.blobs.get("org_2", hash)).toBeNull();
      await harness.blobs.delete("org_2", hash);
      expect(await harness.blobs.has("org_1", hash)).toBe(true);
    });

    it("deletes, also what is not there", async () => {
      const { hash } = await harness.blobs.put("org_1", bytes("gone"));
      await harness.blobs.delete("org_1", hash);
      expect(await harness.blobs.get("org_1", hash)).toBeNull();
      await harness.blobs.delete("org_1", hash);
      expect((await harness.blobs.put("org_1", bytes("gone"))).hash).toBe(hash);
      expect(await harness.blobs.has("org_1", hash)).toBe(true);
    });

    it.each(["", "abc", "../../etc/passwd", `${"a".repeat(61)}/..`, "A".repeat(64), `${"a".repeat(64)}\n`])(
      "refuses %j as a hash",
      async (hash) => {
        const calls = [
          () => harness.blobs.get("org_1", hash),
          () => harness.blobs.has("org_1", hash),
          () => harness.blobs.delete("org_1", hash),
        ];
        for (const call of calls) {
          const thrown = await call().catch((error: unknown) => error);
          expect(thrown).toBeInstanceOf(BerthError);
          expect((thrown as BerthError).code).toBe("blob_hash_invalid");
        }
      },
    );
  });
}
