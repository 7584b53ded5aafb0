import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConfigFolder, createConfigFolder } from "../../test/support/config-folder.ts";
import { secretsOf } from "./secrets.ts";

let folder: ConfigFolder;
beforeEach(() => {
  folder = createConfigFolder();
});
afterEach(() => folder.remove());

describe("secrets", () => {
  const env = {
    BERTH_ADMIN_KEY: "CANARY_admin_0123456789",
    OPENAI_API_KEY: "CANARY_openai",
    XAI_API_KEY: "CANARY_xai",
    ACME_KEY: "CANARY_acme",
    BERTH_PROVIDERS: JSON.stringify([
      {
        name: "acme",
        kind: "openai-compatible",
        baseUrl: "https://llm.example.org/v1/",
        apiKeyEnv: "ACME_KEY",
      },
      { name: "other", kind: "anthropic", apiKey: "CANARY_other", headers: { "x-team": "CANARY_header" } },
    ]),
  };

  it("are given to code that asks, and to nobody who prints", () => {
    const { config, settings } = folder.load({ env });
    expect(config.adminKey?.reveal()).toBe("CANARY_admin_0123456789");
    expect(config.providers.map(({ apiKey }) => apiKey?.reveal())).toEqual(["CANARY_acme", "CANARY_other"]);
    expect(config.providers[1]?.headers["x-team"]?.reveal()).toBe("CANARY_header");
    expect(config.providers[0]?.baseUrl).toBe("https://llm.example.org/v1");
    expect(JSON.stringify({ config, settings })).not.toContain("CANARY");
    expect(settings.find(({ name }) => name === "openaiApiKey")).toEqual({
      name: "openaiApiKey",
      value: "set",
      source: "env",
    });
    expect(settings.find(({ name }) => name === "groqApiKey")?.value).toBe("not set");
  });

  it("are listed for the redactor, all of them", () => {
    const found = secretsOf(folder.load({ env }).config).map((secret) => secret.reveal());
    expect(found.toSorted((a, b) => a.localeCompare(b))).toEqual([
      "CANARY_acme",
      "CANARY_admin_0123456789",
      "CANARY_header",
      "CANARY_openai",
      "CANARY_other",
      "CANARY_xai",
    ]);
  });

  it("are not quoted when they are wrong", () => {
    const wrong = [
      { BERTH_ADMIN_KEY: "CANARY short" },
      { OPENAI_API_KEY: "CANARY with\nnewline" },
      { BERTH_PROVIDERS: '[{"name": "x", "apiKey": "CANARY"' },
      { BERTH_PROVIDERS: '[{"name": "x", "kind": "openai-compatible", "apiKey": "CANARY"}]' },
      {
        BERTH_PROVIDERS: '[{"name": "x", "kind": "anthropic", "apiKey": 1, "baseUrl": "http://u:CANARY@h"}]',
      },
      { OPENAI_BASE_URL: "http://user:CANARY@host/v1" },
    ];
    for (const one of wrong) {
      const problems = folder.problems({ env: one });
      expect(problems).toHaveLength(1);
      expect(problems.join()).not.toContain("CANARY");
    }
  });
});
