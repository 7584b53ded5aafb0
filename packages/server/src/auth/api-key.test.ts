import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { apiKeyPrefix, isApiKey, makeApiKey } from "./api-key.ts";
import { hashToken, makeToken } from "./token.ts";

const pepper = randomBytes(32);

describe("API keys", () => {
  it("AUT-06: have 256 random bits behind a prefix that is no secret, and a hash that gives none of them away", () => {
    const made = makeApiKey(pepper);
    const text = made.key.reveal();
    expect(text).toMatch(/^brt_[0-9a-hjkmnp-tv-z]{12}_[A-Za-z0-9_-]{43}$/);
    expect(apiKeyPrefix(text)).toBe(made.prefix);
    expect(made.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(made.hash).not.toContain(text.slice(-43));
    expect(JSON.stringify(made)).not.toContain(text);
    expect(makeApiKey(pepper).key.reveal()).not.toBe(text);
  });

  it("AUT-06: are known by the hash alone, under the pepper alone", () => {
    const { key, hash } = makeApiKey(pepper);
    const text = key.reveal();
    expect(isApiKey(text, { hash, pepper })).toBe(true);
    expect(isApiKey(text, { hash, pepper: randomBytes(32) })).toBe(false);
    expect(isApiKey(makeApiKey(pepper).key.reveal(), { hash, pepper })).toBe(false);
    expect(isApiKey(text, { hash: null, pepper })).toBe(false);
    expect(isApiKey(text, { hash: "", pepper })).toBe(false);
    expect(isApiKey(hash, { hash, pepper })).toBe(false);
  });

  it("AUT-06: have one exact shape", () => {
    const text = makeApiKey(pepper).key.reveal();
    const variants = [
      ` ${text}`,
      `${text} `,
      `${text}\n`,
      `${text}\0`,
      `\0${text}`,
      text.toUpperCase(),
      text.replace("brt_", "BRT_"),
      text.slice(0, -1),
      `${text}x`,
      text.replace(/_/g, "-"),
      `${text.slice(0, 20)}\u200b${text.slice(20)}`,
      text.slice(17),
      `brt_${randomBytes(32).toString("base64url")}`,
      "",
    ];
    expect(variants.map(apiKeyPrefix)).toEqual(variants.map(() => null));
  });
});

describe("tokens", () => {
  it("have another hash for every purpose and pepper", () => {
    const { token, hash } = makeToken("invitation", pepper);
    const text = token.reveal();
    expect(text).toMatch(/^ivt_[A-Za-z0-9_-]{43}$/);
    expect(hashToken(text, { purpose: "invitation", pepper })).toBe(hash);
    expect(hashToken(text, { purpose: "login", pepper })).not.toBe(hash);
    expect(hashToken(text, { purpose: "invitation", pepper: randomBytes(32) })).not.toBe(hash);
  });
});
