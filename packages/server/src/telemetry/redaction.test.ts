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
