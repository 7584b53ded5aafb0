import { format, inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "./secret.ts";

const canary = "CANARY_secret_41f0";

describe("Secret", () => {
  it("gives its value to reveal alone", () => {
    expect(new Secret(canary).reveal()).toBe(canary);
  });

  it.each<[string, (secret: Secret) => string]>([
    ["a template", (secret) => `${secret}`],
    ["String", (secret) => String(secret)],
    ["JSON", (secret) => JSON.stringify({ secret })],
    ["inspect", (secret) => inspect({ nested: [secret] }, { depth: 9, showHidden: true })],
    ["format", (secret) => format("%s %o %j", secret, secret, secret)],
    ["an error's message", (secret) => new Error(`bad key ${secret}`).stack ?? ""],
    [
      "its own properties",
      (secret) => JSON.stringify(Object.getOwnPropertyDescriptors(secret)) + Object.entries(secret),
    ],
  ])("does not show it in %s", (_, print) => {
    expect(print(new Secret(canary))).not.toContain(canary);
  });

  it("prints as [secret]", () => {
    expect(inspect(new Secret(canary))).toBe("[secret]");
    expect(JSON.stringify([new Secret(canary)])).toBe('["[secret]"]');
  });
});
