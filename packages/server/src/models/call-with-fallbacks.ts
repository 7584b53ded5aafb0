import { type Clock, pause } from "../lib/clock.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import type {
  ModelCall,
  ModelCatalog,
  ModelError,
  ModelErrorCode,
  ModelPart,
  ResolvedModel,
} from "./model.ts";
import { abortedError, modelError } from "./model-error.ts";
import { plausibleUsage } from "./plausible-usage.ts";
import type { RetrySettings } from "./retry-settings.ts";

interface Calling {
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: RetrySettings;
  readonly breakerOf: (name: string) => CircuitBreaker;
  readonly call: ModelCall;
  readonly signal: AbortSignal;
}

type Parts = AsyncGenerator<readonly ModelPart[], ModelError | null>;

/** Errors that the provider is to blame for; the others say that it is alive. */
const faults: ReadonlySet<ModelErrorCode> = new Set<ModelErrorCode>([
  "overloaded",
  "server_error",
  "connection_failed",
  "timeout",
  "cut_off",
  "bad_response",
]);

/** Errors that another model must not be asked about: runtime deals with them, or the answer would be the same. */
const final: ReadonlySet<ModelErrorCode> = new Set<ModelErrorCode>([
  "aborted",
  "context_length_exceeded",
  "content_filtered",
]);

/** Tries the models of a call in their order until one answers. */
export async function* callWithFallbacks(calling: Calling): AsyncGenerator<readonly ModelPart[]> {
  const { models } = calling.call;
  let error = modelError("model_not_found", "no model is named; give the agent one as provider/model");
  for (const [index, name] of models.entries()) {
    const failed = yield* callModel(calling, name);
    if (failed === null) return;
    error = failed;
    const next = models[index + 1];
    if (final.has(error.code) || next === undefined) break;
    yield [{ type: "fallback", from: name, to: next, error }];
  }
  yield [{ type: "error", error }];
}

/** Calls one model until it has answered or there is no sense in going on. Returns what was in the way, null if nothing. */
async function* callModel(calling: Calling, name: string): Parts {
  const { catalog, clock, settings, signal } = calling;
  const resolved = catalog.resolve(name);
  if (resolved === null)
    return modelError(
      "model_not_found",
      `there is no model ${name}; GET /api/v1/models lists those there are`,
    );
  const breaker = calling.breakerOf(name);
  let error: ModelError | null = null;
  for (let attempt = 1; ; attempt++) {
    if (signal.aborted) return abortedError;
    const closedFor = breaker.enter();
    if (closedFor !== null) return error ?? circuitOpen(name, closedFor);
    error = yield* attemptOnce(calling, resolved, breaker);
    if (error === null || !error.retryable || attempt >= settings.maxAttempts) return error;
    const delayMs = delayOf(calling, attempt, error);
    if (delayMs === null) return error;
    yield [{ type: "retry", attempt, delayMs, error }];
    await pause(clock, delayMs, signal);
  }
}

function circuitOpen(name: string, leftMs: number): ModelError {
  const seconds = Math.ceil(leftMs / 1000);
  const message = `${name} failed too often in a row and is not called for another ${seconds} s`;
  return modelError("circuit_open", message, { retryAfterMs: Math.ceil(leftMs) });
}

/** One call. Its parts are handed on, but for the error (returned) and the usage of an attempt that is void. */
async function* attemptOnce(
  { call, signal }: Calling,
  { adapter, model }: ResolvedModel,
  breaker: CircuitBreaker,
): Parts {
  let told = false;
  const tell = (error: ModelError | null) => {
    if (told) return;
    told = true;
    if (error === null) breaker.succeeded();
    else if (faults.has(error.code)) breaker.failed();
    else breaker.released();
  };
  try {
    for await (const parts of adapter.stream({ ...call.request, model }, signal)) {
      const last = parts.at(-1);
      if (last?.type === "error") {
        const before = parts.filter(({ type }) => type !== "error" && type !== "usage");
        if (before.length > 0) yield before;
        tell(last.error);
        return last.error;
      }
      if (last?.type === "finish") tell(null);
      else breaker.answering();
      yield parts.map(believed);
      if (last?.type === "finish") return null;
    }
    return modelError("bad_response", "the model's adapter ended without an end");
  } catch (thrown) {
    const error = modelError(
      "bad_response",
      `the model's adapter failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
    tell(error);
    return error;
  } finally {
    // The reader left in the middle, or the adapter ended without an end.
    if (!told) breaker.released();
  }
}

function believed(part: ModelPart): ModelPart {
  return part.type === "usage" ? { type: "usage", usage: plausibleUsage(part.usage) } : part;
}

/** Full jitter: anything up to a limit that doubles. What the provider asks for is the least; null when that is too long. */
function delayOf({ settings, random }: Calling, attempt: number, error: ModelError): number | null {
  const { baseDelayMs, maxDelayMs, maxRetryAfterMs } = settings;
  const jittered = random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
  const asked = error.retryAfterMs ?? 0;
  return asked > maxRetryAfterMs ? null : Math.round(Math.max(jittered, asked));
}
