import type { ModelProvider } from "./model-provider.ts";

export interface DetectOptions {
  readonly fetch: typeof globalThis.fetch;
  /** Where Ollama listens, default `http://127.0.0.1:11434`. */
  readonly host?: string;
  readonly timeoutMs?: number;
}

/** The Ollama of this machine as a provider, null when none answers in time (300 ms). Its models are listed live. */
export async function detectOllama(options: DetectOptions): Promise<ModelProvider | null> {
  const { fetch, host = "http://127.0.0.1:11434", timeoutMs = 300 } = options;
  const base = host.replace(/\/+$/, "");
  try {
    const response = await fetch(`${base}/api/version`, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "error",
    });
    const body: unknown = response.ok ? await response.json() : await response.body?.cancel();
    if (typeof body !== "object" || body === null || !("version" in body)) return null;
    return { name: "ollama", kind: "openai-compatible", baseUrl: `${base}/v1`, apiKey: null, models: [] };
  } catch {
    return null;
  }
}
