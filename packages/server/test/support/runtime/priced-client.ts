import type { ModelClient, Models } from "../../../src/models/model.ts";
import { type Answer, scriptedClient } from "./scripted-client.ts";

/** Output tokens of each of its models at most. */
const maxOutputTokens = 100;

const perMillion = { input: 1_000, output: 1_000, cacheRead: 1_000, cacheWrite: 1_000 };

/**
 * The scripted models at a dollar for a thousand tokens, so that a budget of a few dollars holds a few calls. Those of the provider `free`
 * have no price.
 */
export function pricedClient(answer: Answer, contextWindow = 128_000): Models {
  const scripted = scriptedClient(answer, contextWindow);
  const client: ModelClient = {
    ...scripted,
    info(name) {
      const info = scripted.info(name);
      const price = name.startsWith("free/") ? null : perMillion;
      return info === null ? null : { ...info, name, maxOutputTokens, price };
    },
    cost: (name, usage) =>
      name.startsWith("free/") ? null : (usage.inputTokens + usage.outputTokens) / 1_000,
  };
  return { ...client, of: () => ({ ...client, ready: async () => {} }) };
}
