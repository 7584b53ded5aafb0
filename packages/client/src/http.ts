import { backoffMs, type Backoff, type Clock, pause } from "./clock.ts";
import { BerthApiError, BerthConnectionError, errorOfResponse, isPassing } from "./error.ts";

export interface HttpOptions {
  /** Where the server is, for example `http://127.0.0.1:7420`; a path before `/api/v1` is kept. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`; a function is asked before each request. */
  readonly apiKey?: string | (() => string | Promise<string>);
  /** Sent as `X-Berth-Org`. */
  readonly org?: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  /** How often a request that got no answer, or 429, 502, 503 or 504, is sent again. */
  readonly retries: number;
  readonly backoff: Backoff;
  /** How long one attempt may take, milliseconds. */
  readonly timeoutMs: number;
  /** For how long after its first attempt a request may be sent again that was refused so, milliseconds. */
  readonly patienceMs: (refusal: BerthApiError) => number;
  /** Told before each wait for another attempt. */
  readonly onRetry: (retry: Retry) => void;
}

/** Why a request is sent again, and when. Times are milliseconds. */
export interface Retry {
  readonly error: BerthApiError | BerthConnectionError;
  readonly waitMs: number;
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** After `/api/v1`, or a whole path that begins with `/api/`. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, with the content type in `headers`. */
  readonly bytes?: Uint8Array<ArrayBuffer> | Blob | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: a new one for each request that changes something, the same on each of its attempts. */
  readonly idempotencyKey?: string;
  readonly retries?: number;
  /** How long one attempt may take, milliseconds; default: as the client's options say. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Sends requests; safe to retry because every change carries an Idempotency-Key. */
export interface Http {
  readonly options: HttpOptions;
  url(path: string, query?: Query): URL;
  authorization(): Promise<Record<string, string>>;
  /** The reply's JSON, null when it has no body. Rejects with BerthApiError, BerthConnectionError, or the signal's reason. */
  json<T>(request: ApiRequest): Promise<T>;
  /** Reads a good response by a function, whose failure counts as a broken connection. */
  read<T>(request: ApiRequest, reader: (response: Response) => Promise<T>): Promise<T>;
}

/** Waits that are longer are left to the caller. */
const longestWaitMs = 60_000;

export function createHttp(options: HttpOptions): Http {
  const base = new URL(options.baseUrl);

  function url(path: string, query: Query = {}): URL {
    const target = new URL(base);
    const whole = path.startsWith("/api/") ? path : `/api/v1${path}`;
    assertStraight(whole);
    target.pathname = `${base.pathname.replace(/\/$/, "")}${whole}`;
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      target.searchParams.set(name, Array.isArray(value) ? value.join(",") : String(value));
    }
    return target;
  }

  async function authorization(): Promise<Record<string, string>> {
    const { apiKey, org } = options;
    const key = typeof apiKey === "function" ? await apiKey() : apiKey;
    return {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(org !== undefined && { "x-berth-org": org }),
    };
  }

  async function headersOf(request: ApiRequest, key: string): Promise<Record<string, string>> {
    const { method, body, headers } = request;
    return {
      accept: "application/json, application/problem+json",
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(method !== "GET" && { "idempotency-key": key }),
      ...headers,
      ...(await authorization()),
    };
  }

  async function attempt<T>(request: ApiRequest, key: string, reader: Reader<T>): Promise<T> {
    const target = url(request.path, request.query);
    const { timeout, cancel } = timeoutOf(options.clock, request.timeoutMs ?? options.timeoutMs);
    const signals = request.signal === undefined ? [timeout.signal] : [timeout.signal, request.signal];
    const body = request.body === undefined ? request.bytes : JSON.stringify(request.body);
    try {
      const response = await options.fetch(target, {
        method: request.method,
        headers: await headersOf(request, key),
        signal: AbortSignal.any(signals),
        ...(body !== undefined && { body }),
      });
      if (!response.ok) throw await errorOfResponse(response, options.clock.now());
      return await reader(response);
    } catch (thrown) {
      request.signal?.throwIfAborted();
      if (thrown instanceof BerthApiError) throw thrown;
      throw new BerthConnectionError(target.origin, timeout.signal.aborted ? timeout.signal.reason : thrown);
    } finally {
      cancel();
    }
  }

  async function read<T>(request: ApiRequest, reader: Reader<T>): Promise<T> {
    const key = request.idempotencyKey ?? crypto.randomUUID();
    const retries = request.retries ?? options.retries;
    for (let failed = 0, begun = options.clock.now(); ; failed += 1) {
      request.signal?.throwIfAborted();
      try {
        return await attempt(request, key, reader);
      } catch (thrown) {
        if (isAlreadyDeleted(thrown, request, failed))
          return await reader(new Response(null, { status: 204 }));
        const asked = askedWait(thrown);
        if (failed >= retries || !isWorthRetrying(thrown) || asked > longestWaitMs) throw thrown;
        const wait = Math.max(asked, backoffMs(options.backoff, failed, options.random));
        if (options.clock.now() + wait - begun > patienceOf(options, thrown)) throw thrown;
        options.onRetry({ error: thrown, waitMs: wait });
        await pause(options.clock, wait, request.signal);
      }
    }
  }

  return { options, url, authorization, read, json: <T>(one: ApiRequest) => read<T>(one, parsed) };
}

function patienceOf({ patienceMs }: HttpOptions, error: Retry["error"]): number {
  return error instanceof BerthApiError ? patienceMs(error) : Number.POSITIVE_INFINITY;
}

function timeoutOf(clock: Clock, ms: number): { timeout: AbortController; cancel: () => void } {
  const timeout = new AbortController();
  const cancel = clock.after(ms, () => timeout.abort(new Error(`no answer within ${ms} ms`)));
  return { timeout, cancel };
}

type Reader<T> = (response: Response) => Promise<T>;

async function parsed<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

/** Sending again is right when no answer came, when the server says so in passing, and while the first attempt is still at work. */
function isWorthRetrying(thrown: unknown): thrown is Retry["error"] {
  if (thrown instanceof BerthConnectionError) return true;
  if (!(thrown instanceof BerthApiError)) return false;
  return isPassing(thrown.status) || thrown.code === "idempotency_in_progress";
}

function askedWait(thrown: unknown): number {
  return thrown instanceof BerthApiError ? (thrown.retryAfterMs ?? 0) : 0;
}

/** A delete whose reply was lost finds nothing when it is sent again. */
function isAlreadyDeleted(thrown: unknown, request: ApiRequest, failed: number): boolean {
  return (
    request.method === "DELETE" && failed > 0 && thrown instanceof BerthApiError && thrown.status === 404
  );
}

/** Addresses drop `.` and `..` with what stands before them: a path or an id with one would ask for something else, which may be another session. */
function assertStraight(path: string): void {
  const crooked = path.split("/").find((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
  if (crooked === undefined) return;
  throw new RangeError(`A path or an id may not contain the part ${JSON.stringify(crooked)}.`);
}
