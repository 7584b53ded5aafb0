/** A reply as an attacker sees it. */
export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The problem's code; empty when it is none. */
  readonly code: string;
}

export interface Ask {
  readonly method: string;
  /** With its query, below the server's root. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a request over a socket; `key` null sends none. */
export async function call(url: string, key: string | null, ask: Ask): Promise<Seen> {
  const { method, path, body, headers = {}, signal } = ask;
  const bytes = body instanceof Uint8Array;
  const response = await fetch(`${url}${path}`, {
    method,
    redirect: "manual",
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": bytes ? "application/octet-stream" : "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: bytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  });
  const text = await bodyOf(response);
  return { status: response.status, headers: response.headers, text, code: codeOf(text) };
}

/** Of a stream that does not end, what has come with its first chunk. */
async function bodyOf(response: Response): Promise<string> {
  if (response.headers.get("content-type") !== "text/event-stream") return response.text();
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return new TextDecoder().decode(first?.value);
}

function codeOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const code: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "code") : "";
    return typeof code === "string" ? code : "";
  } catch {
    return "";
  }
}
