import type { Readable } from "node:stream";
import { backoffMs } from "../../lib/backoff.ts";
import { pause } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { Call } from "../protocol/call.ts";
import { type Frame, FrameError, readFrames } from "../protocol/frames.ts";
import { wireTimes } from "../protocol/wire.ts";
import type { HostAddress } from "../../lib/host-address.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";
import { failureOf, HostFailure } from "./failures.ts";
import { resultOf } from "./read-answer.ts";
import { type AnyCall, type Made, sendCall, type SendOptions, wishOf } from "./send-call.ts";
import { readAll, watched } from "./transport.ts";

export interface HostClientOptions extends SendOptions {
  readonly breaker: CircuitBreaker;
}

/** Makes calls on one host. What it answers is believed only as far as the schemas say. */
export interface HostClient {
  readonly address: HostAddress;
  /** Aborts when the provider is closed. */
  readonly closed: AbortSignal;
  call<A, R>(call: Call<A, R>, made: Made<A>): Promise<R>;
  /** Rejects when there are more than `most`. */
  bytes<A>(call: Call<A, null>, made: Made<A>, most: number): Promise<Buffer>;
  /** Frames until the end, an error, or a HostFailure: whoever reads them knows how to go on. */
  frames<A>(call: Call<A, null>, made: Made<A>): AsyncGenerator<Frame>;
  /** A token that was never used. */
  freshToken(call: Pick<AnyCall, "verb">, made: Pick<Made<unknown>, "id" | "deployment">): Promise<string>;
}

const attempts = 3;

export function createHostClient(options: HostClientOptions): HostClient {
  const { address, tokens, clock, closed } = options;
  return {
    address,
    closed,
    call: (call, made) =>
      attempt(options, { call, made }, async (body, withinMs) => {
        const bytes = await readAll(body, { clock, most: call.most, withinMs });
        return resultOf(call, bytes);
      }),
    bytes: (call, made, most) =>
      attempt(options, { call, made }, (body, withinMs) => readAll(body, { clock, most, withinMs })),
    frames: (call, made) => framesOf(options, call, made),
    freshToken: (call, made) => tokens.get(wishOf(address, call, made), { fresh: true }),
  };
}

/** Tries again what may be repeated, within the time of the call; counts what fails, and spares a host that only fails. */
async function attempt<T>(
  options: HostClientOptions,
  { call, made }: { readonly call: AnyCall; readonly made: Made<unknown> },
  read: (body: Readable, leftMs: number) => Promise<T>,
): Promise<T> {
  const { address, breaker, clock, closed } = options;
  checkUsable(options);
  const endsAt = clock.monotonic() + call.timeoutMs;
  for (let done = 1; ; done++) {
    try {
      const timeoutMs = Math.max(1, endsAt - clock.monotonic());
      const result = await read(await sendCall(options, { call, made, timeoutMs }), timeoutMs);
      breaker.succeeded();
      return result;
    } catch (thrown) {
      if (closed.aborted) throw closed.reason;
      if (made.signal?.aborted === true) throw stopped();
      if (!(thrown instanceof HostFailure)) {
        if (thrown instanceof BerthError) breaker.succeeded();
        throw thrown;
      }
      if (countsAgainstHost(call, thrown)) breaker.failed(thrown.message);
      const again = thrown.kind === "unsent" || (call.repeatable && thrown.kind === "cut");
      const waitMs = backoffMs({ attempt: done, baseMs: 50, capMs: 1_000 });
      if (!again || done >= attempts || clock.monotonic() + waitMs >= endsAt) {
        throw failureOf(address.name, thrown);
      }
      await pause(clock, waitMs, closed);
    }
  }
}

async function* framesOf<A>(
  options: HostClientOptions,
  call: Call<A, null>,
  made: Made<A>,
): AsyncGenerator<Frame> {
  const { breaker, clock, closed } = options;
  // What goes on with a stream has a bound of its own, and would be lost by being spared.
  if (call.repeatable) closed.throwIfAborted();
  else checkUsable(options);
  try {
    const body = await sendCall(options, { call, made, timeoutMs: call.timeoutMs });
    for await (const frame of readFrames(watched(body, { clock, silenceMs: wireTimes.silence }))) {
      breaker.succeeded();
      yield frame;
    }
  } catch (thrown) {
    const failure =
      thrown instanceof FrameError ? new HostFailure("wrong", "sent what is no frame", thrown) : thrown;
    const isOwn = closed.aborted || made.signal?.aborted === true;
    if (failure instanceof HostFailure && !isOwn) breaker.failed(failure.message);
    throw failure;
  }
}

function checkUsable({ address, breaker, closed }: HostClientOptions): void {
  if (closed.aborted) throw closed.reason;
  if (breaker.allows()) return;
  const message = `Sandbox host ${address.name} ${breaker.why()}. It failed several times and is asked again in some seconds.`;
  throw new BerthError("sandbox_host_error", message, { retryable: true });
}

/** Commands may keep a host waiting (by not reading what they are given, for example), which says nothing of the host. */
function countsAgainstHost({ verb }: AnyCall, { kind }: HostFailure): boolean {
  return kind !== "late" || verb === "look" || verb === "manage";
}

function stopped(): BerthError {
  return new BerthError("aborted", "This was stopped before it ended.");
}
