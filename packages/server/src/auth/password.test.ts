import { describe, expect, it } from "vitest";
import type { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import { createPasswords } from "./password.ts";

const passwords = createPasswords();
const secret = (text: string) => new Secret(text);
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: BerthError) => error.code,
  );

describe("passwords", () => {
  it("AUT-07: are kept as argon2id with a salt of their own", async () => {
    const [one, two] = await Promise.all([
      passwords.hash(secret("correct horse battery")),
      passwords.hash(secret("correct horse battery")),
    ]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(two).not.toBe(one);
    expect(await passwords.verify(secret("correct horse battery"), one)).toBe(true);
    expect(await passwords.verify(secret("correct horse batterz"), one)).toBe(false);
    expect(await passwords.verify(secret("correct horse battery"), null)).toBe(false);
  });

  it("AUT-07: are checked to their last character, whatever follows, and however it was typed", async () => {
    const long = `${"long enough ".repeat(21)}!!!!`;
    const stored = await passwords.hash(secret(long));
    expect(await passwords.verify(secret(long), stored)).toBe(true);
    expect(await passwords.verify(secret(`${long}x`), stored)).toBe(false);
    expect(await passwords.verify(secret(long.slice(0, -1)), stored)).toBe(false);
    expect(await passwords.verify(secret(long.repeat(10)), stored)).toBe(false);
    const composed = await passwords.hash(secret("zw\u00f6lf Zeichen"));
    expect(await passwords.verify(secret("zwo\u0308lf Zeichen"), composed)).toBe(true);
    const withNul = await passwords.hash(secret("before\0after it"));
    expect(await passwords.verify(secret("before\0another"), withNul)).toBe(false);
  });

  it("AUT-07: are refused when they are short, endless or of few characters", async () => {
    expect(await codeOf(passwords.hash(secret("short enough".slice(1))))).toBe("weak_password");
    expect(await codeOf(passwords.hash(secret("x1y2z ".repeat(43))))).toBe("weak_password");
    expect(await codeOf(passwords.hash(secret("aaaabbbbccccaaaa")))).toBe("weak_password");
    expect(
      await codeOf(passwords.hash(secret("\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}\u{1f605}"))),
    ).toBe("weak_password");
  });

  it("AUT-07: wait for their turn, and no more of them than are wanted", async () => {
    const narrow = createPasswords({ atOnce: 1, waiting: 2 });
    const checks = Array.from({ length: 5 }, () => codeOf(narrow.verify(secret("whoever you are"), null)));
    expect(await Promise.all(checks)).toEqual([null, null, null, "too_busy", "too_busy"]);
    expect(await codeOf(narrow.verify(secret("whoever you are"), null))).toBeNull();
  });
});
