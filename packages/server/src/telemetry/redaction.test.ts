import { describe, expect, it } from "vitest";
import { Secret } from "../lib/secret.ts";
import { createRedactor, isSecretName } from "./redaction.ts";

describe("isSecretName", () => {
  it.each([
    "authorization",
    "Proxy-Authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "apiKey",
    "API_KEY",
    "openaiApiKey",
    "OPENAI_API_KEY",
    "adminKey",
    "password",
    "dbPassword",
    "client_secret",
    "token",
    "accessToken",
    "ticket",
    "privateKey",
  ])("knows %s", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    "key",
    "sessionKey",
    "idempotencyKey",
    "tokens",
    "maxTokens",
    "inputTokens",
    "author",
    "secretary",
    "keyboard",
  ])("lets %s pass", (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe("createRedactor", () => {
  it("strikes out every known value, also as JSON and URLs write it", () => {
    const redactor = createRedactor();
    redactor.add(new Secret('pa"ss\\wo/rd$1'));
    redactor.add(new Secret("other.value"));
    const text = `a pa"ss\\wo/rd$1 b ${JSON.stringify('pa"ss\\wo/rd$1')} c ${encodeURIComponent('pa"ss\\wo/rd$1')} d other.value e`;
    expect(redactor.text(text)).toBe('a [secret] b "[secret]" c [secret] d [secret] e');
    expect(redactor.text("otherXvalue")).toBe("otherXvalue");
  });

  it("strikes out the longer of two values that begin alike", () => {
    const redactor = createRedactor();
    redactor.add(new Secret("canary"));
    redactor.add(new Secret("canary-and-more"));
    expect(redactor.text("canary-and-more canary")).toBe("[secret] [secret]");
  });

  it("does not look for values so short that they are everywhere", () => {
    const redactor = createRedactor();
    redactor.add(new Secret("a"));
    redactor.add(new Secret(""));
    expect(redactor.text("a banana")).toBe("a banana");
  });

  it.each([
    [`key brt_${"a".repeat(43)}.`, "key [secret]."],
    ["sk-proj-0123456789abcdef_XYZ", "[secret]"],
    ["token eyJhbGciOiJS.eyJzdWIiOiJh.c2lnbmF0dXJl ends", "token [secret] ends"],
    ["Authorization: Bearer abc.def.ghi", "Authorization: Bearer [secret]"],
    ["https://user:hunter2@example.org/x", "https://user:[secret]@example.org/x"],
  ])("knows the shape of a secret: %s", (text, expected) => {
    expect(createRedactor().text(text)).toBe(expected);
  });

  it.each([
    "ses_01jd5k2m3n4p5q6r7s8t9v0w1x",
    "http://127.0.0.1:7420/api/v1",
    "the bearer of news",
    "sk-short",
  ])("leaves %s alone", (text) => {
    expect(createRedactor().text(text)).toBe(text);
  });
});

describe("AGT-05: secrets that tenants chose", () => {
  const ada = { orgId: "org_a", owner: "usr_ada" };
  const bob = { orgId: "org_a", owner: "usr_bob" };
  const org = { orgId: "org_a", owner: "" };
  const other = { orgId: "org_b", owner: "usr_ada" };

  it("are struck out of the texts of whom they belong to, and of nobody else's", () => {
    const redactor = createRedactor();
    redactor.remember(new Secret("function"), ada);
    redactor.remember(new Secret("ORG-KEY-1"), org);
    const text = "a function with ORG-KEY-1";
    expect(redactor.values(text, ada)).toBe("a [secret] with [secret]");
    expect(redactor.values(text, bob)).toBe("a function with [secret]");
    expect(redactor.values(text, other)).toBe(text);
    expect(redactor.values(text)).toBe(text);
  });

  it("are struck out of logs if they can be nothing but keys", () => {
    const redactor = createRedactor();
    const key = "9f8e7d6c5b4a39281706-canary";
    const words = [
      "unhandled rejection",
      "usr_01jd0000000000000000000000",
      "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    ];
    for (const value of [key, ...words]) redactor.remember(new Secret(value), ada);
    expect(redactor.text(`key=${key}`)).toBe("key=[secret]");
    for (const word of words) expect(redactor.text(word)).toBe(word);
  });

  it("are bounded: the oldest are forgotten", () => {
    const redactor = createRedactor();
    const first = new Secret("first-key-0123456789");
    redactor.remember(first, ada);
    for (let n = 0; n < 100; n++) redactor.remember(new Secret(`key-of-many-${n}-abcdef`), ada);
    expect(redactor.values(first.reveal(), ada)).toBe(first.reveal());
    expect(redactor.values("key-of-many-99-abcdef", ada)).toBe("[secret]");
    for (let n = 0; n < 1_000; n++)
      redactor.remember(new Secret("another-key-55"), { orgId: `org_${n}`, owner: "" });
    expect(redactor.values("key-of-many-99-abcdef", ada)).toBe("key-of-many-99-abcdef");
  });
});
