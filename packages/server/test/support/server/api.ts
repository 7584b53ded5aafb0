/** Where a server is and what opens it. */
export interface Door {
  readonly url: string;
  readonly apiKey: string;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/api/v1`, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** A body that is not JSON. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ApiReply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** The body's JSON; null when it is none. */
  readonly json: unknown;
}

/** Sends one request once. Rejects when no whole reply came back. */
export async function send({ url, apiKey }: Door, request: ApiRequest): Promise<ApiReply> {
  const { method, path, body, bytes, key, signal } = request;
  const type = bytes === undefined ? "application/json" : "application/octet-stream";
  const content = bytes ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(content !== undefined && { "content-type": type }),
      ...(key !== undefined && { "idempotency-key": key }),
      ...request.headers,
    },
    ...(content !== undefined && { body: content }),
    ...(signal !== undefined && { signal }),
  });
  const received = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes: received, json: jsonOf(received) };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return null;
  }
}

/** The stable code of a refusal; empty when the reply is none. */
export function codeOf({ json }: ApiReply): string {
  const code = typeof json === "object" && json !== null && "code" in json ? json.code : "";
  return typeof code === "string" ? code : "";
}

/** The body of a reply that has to be a success; whoever asks knows its shape. Throws what the server said instead. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function bodyOf<T>(reply: ApiReply, ...statuses: readonly number[]): T {
  const wanted = statuses.length === 0 ? [200] : statuses;
  if (wanted.includes(reply.status)) return reply.json as T;
  const said = Buffer.from(reply.bytes).toString("utf8").slice(0, 500);
  throw new Error(`the server answered ${reply.status}: ${said}`);
}
