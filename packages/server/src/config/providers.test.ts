import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConfigFolder, createConfigFolder } from "../../test/support/config-folder.ts";

let folder: ConfigFolder;
beforeEach(() => {
  folder = createConfigFolder();
});
afterEach(() => folder.remove());

describe("providers", () => {
  const read = (...providers: unknown[]) => ({
    env: { BERTH_PROVIDERS: JSON.stringify(providers), KEY: "k" },
  });
  const good = { name: "acme", kind: "openai-compatible", baseUrl: "http://127.0.0.1:1/v1" };

  it("have models, prices and times", () => {
    const written = {
      ...good,
      timeouts: { connect: "5s", idle: "1m" },
      models: [{ name: "big", contextWindow: 200_000, price: { input: 3, output: 15 } }],
    };
    expect(folder.load(read(written)).config.providers).toEqual([
      {
        name: "acme",
        kind: "openai-compatible",
        baseUrl: "http://127.0.0.1:1/v1",
        package: null,
        apiKey: null,
        headers: {},
        timeouts: { connect: 5_000, idle: 60_000 },
        models: [
          {
            name: "big",
            contextWindow: 200_000,
            price: { input: 3, output: 15, cacheRead: 3, cacheWrite: 3 },
          },
        ],
      },
    ]);
  });

  it.each<[string, unknown[], RegExp]>([
    ["an unknown member", [{ ...good, apikey: "x" }], /0: Unrecognized key: "apikey"/],
    ["an unknown kind", [{ ...good, kind: "telnet" }], /0\.kind: /],
    ["no address", [{ name: "x", kind: "openai-compatible" }], /0: needs a baseUrl/],
    ["two keys", [{ ...good, apiKey: "x", apiKeyEnv: "KEY" }], /0: has two keys/],
    [
      "a variable that is not set",
      [{ ...good, apiKeyEnv: "NONE" }],
      /wants the key of acme from NONE, which is not set/,
    ],
    ["two of one name", [good, good], /two providers have the same name/],
    [
      "a time without a unit",
      [{ ...good, timeouts: { connect: "5" } }],
      /0\.timeouts\.connect: must be a duration/,
    ],
    ["a bad name", [{ ...good, name: "A/B" }], /0\.name: must be lower-case/],
  ])("are refused for %s", (_, providers, problem) => {
    expect(folder.problems(read(...providers))).toEqual([expect.stringMatching(problem)]);
  });
});
