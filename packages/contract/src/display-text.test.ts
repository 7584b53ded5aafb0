import { describe, expect, it } from "vitest";
import { displayText } from "./display-text.ts";

describe("a name that people are shown", () => {
  const name = displayText(20);

  it("is one line in any script", () => {
    expect(name.parse("  Ærøskøbing ⚓ ")).toBe("Ærøskøbing ⚓");
    expect(name.parse("👩‍💻 日本語 עברית")).toBe("👩‍💻 日本語 עברית");
  });

  it.each(["a\nb", "a\u001b[31mb", "a\u0000b", "a\u202egnp.exe", "a\u2028b", "", "   ", "x".repeat(21)])(
    "is not %j",
    (text) => {
      expect(name.safeParse(text).success).toBe(false);
    },
  );
});
