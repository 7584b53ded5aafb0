import { describe, expect, it } from "vitest";
import { createSealedText } from "./sealed-text.ts";

const key = Buffer.alloc(32, 1);

describe("createSealedText", () => {
  it("opens what it has sealed and nothing else", () => {
    const sealed = createSealedText(key, "tests");
    const text = sealed.seal('{"state":"x"}');
    expect(text).not.toContain("state");
    expect(sealed.seal('{"state":"x"}')).not.toBe(text);
    expect(sealed.open(text)).toBe('{"state":"x"}');
    const bytes = Buffer.from(text, "base64url");
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(sealed.open(changed.toString("base64url"))).toBeNull();
    }
    for (const wrong of ["", "x", text.slice(0, 20), `${text}!`, "A".repeat(5_000)]) {
      expect(sealed.open(wrong)).toBeNull();
    }
    expect(createSealedText(key, "another purpose").open(text)).toBeNull();
    expect(createSealedText(Buffer.alloc(32, 2), "tests").open(text)).toBeNull();
  });
});
