import { providerList } from "../providers.ts";
import { boolean, list, secret, url } from "../setting-kinds.ts";
import { optional } from "../setting.ts";

/** `OLLAMA_HOST` as Ollama itself reads it: scheme, host and port may be missing, and 0.0.0.0 is where it listens, not where it is. */
function completeOllamaHost(text: string): string {
  const hasScheme = /^https?:\/\//.test(text);
  const address = URL.parse(hasScheme ? text : `http://${text.replace(/^(?=:\d)/, "127.0.0.1")}`);
  if (address === null) return text;
  if (address.hostname === "0.0.0.0") address.hostname = "127.0.0.1";
  if (!hasScheme && !/:\d+\/*$/.test(text)) address.port = "11434";
  return address.href;
}

const keyOf = (provider: string, env: string) => secret({ env, help: `The API key of ${provider}.` });

export const modelSettings = {
  providers: providerList({
    hasFlag: false,
    help: "Model providers besides those below, as `[{name, kind, baseUrl, apiKey | apiKeyEnv, headers, timeouts, models}]`.",
  }),
  providerAllow: list({
    default: [],
    each: /^[A-Za-z0-9.:[\]-]{1,253}(?:\/\d{1,3})?$/,
    what: "host:port places or networks",
    help: "Private places where model providers of organizations and users may be all the same, such as `ollama.internal:11434` or `10.1.0.0/16`; http is taken there too.",
  }),
  userModelProviders: boolean({
    default: true,
    help: "Whether users may bring model providers of their own for their own sessions.",
  }),
  openaiApiKey: keyOf("OpenAI", "OPENAI_API_KEY"),
  openaiBaseUrl: optional(
    url({
      default: "",
      env: "OPENAI_BASE_URL",
      help: "Where the OpenAI API is, or one that speaks like it. With it no key is needed.",
    }),
  ),
  anthropicApiKey: keyOf("Anthropic", "ANTHROPIC_API_KEY"),
  anthropicBaseUrl: optional(
    url({
      default: "",
      env: "ANTHROPIC_BASE_URL",
      help: "Where the Anthropic API is, or one that speaks like it. With it no key is needed.",
    }),
  ),
  deepseekApiKey: keyOf("DeepSeek", "DEEPSEEK_API_KEY"),
  groqApiKey: keyOf("Groq", "GROQ_API_KEY"),
  mistralApiKey: keyOf("Mistral", "MISTRAL_API_KEY"),
  geminiApiKey: keyOf("Google Gemini", "GEMINI_API_KEY"),
  openrouterApiKey: keyOf("OpenRouter", "OPENROUTER_API_KEY"),
  xaiApiKey: keyOf("xAI", "XAI_API_KEY"),
  ollamaHost: url({
    default: "http://127.0.0.1:11434",
    env: "OLLAMA_HOST",
    complete: completeOllamaHost,
    help: "Where Ollama listens.",
  }),
  ollamaDiscovery: boolean({
    default: true,
    help: "Whether Ollama is asked for its models when it answers there.",
  }),
} as const;
