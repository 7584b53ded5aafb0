import { createRequire } from "node:module";
import type { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";
import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { protocolVersion, versionHeader } from "../protocol/wire.ts";
import { HostFailure, transportFailure } from "./failures.ts";

const require = createRequire(import.meta.url);
/** Loaded by the first host: a server without any has no use for its 109 modules. */
const undici = () => require("undici") as typeof import("undici");

/** What a server shows and trusts where hosts have TLS, as PEM. */
export interface ClientTls {
  /** The authority of hosts' certificates; default: those that this machine knows. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How long making a connection may take, milliseconds. */
const connectMs = 5_000;

/** Connections to hosts. It uses no proxy and follows no redirect. */
export function createDispatcher(tls: ClientTls = {}): Agent {
  const { Agent } = undici();
  return new Agent({
    connect: { ...tls, timeout: connectMs },
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    maxHeaderSize: 16_384,
    // Times are ours: see `post` and `watched`.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

export interface Post {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly url: URL;
  readonly token: string;
  readonly body: Uint8Array;
  /** Until the answer begins. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: Readable;
}

/** Sends a call; rejects with HostFailure, or with the signal's reason. The caller reads the body or destroys it. */
export async function post({
  dispatcher,
  clock,
  url,
  token,
  body,
  timeoutMs,
  signal,
}: Post): Promise<Answer> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const timer = clock.after(timeoutMs, () => ending.abort(late(timeoutMs)));
  try {
    const answer = await undici().request(url, {
      dispatcher,
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/octet-stream",
        [versionHeader]: protocolVersion,
      },
      body,
      signal: signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal]),
    });
    // What is wrong with a body is thrown to whoever reads it; nobody may read it.
    answer.body.on("error", () => undefined);
    if (answer.headers[versionHeader] === protocolVersion)
      return { status: answer.statusCode, body: answer.body };
    answer.body.destroy();
    const isRedirect = answer.statusCode >= 300 && answer.statusCode < 400;
    throw new HostFailure(
      "wrong",
      isRedirect
        ? "answered with a redirect"
        : "does not speak this version of the protocol: run the same Berth there",
    );
  } catch (thrown) {
    if (signal?.aborted === true) throw signal.reason;
    throw ending.signal.aborted ? ending.signal.reason : transportFailure(thrown);
  } finally {
    timer.cancel();
  }
}

/** The pieces of a body, which break off with HostFailure when the next one does not come in time. */
export async function* watched(
  body: Readable,
  { clock, silenceMs }: { readonly clock: Clock; readonly silenceMs: number },
): AsyncGenerator<Buffer> {
  const watch = (): TimerHandle => clock.after(silenceMs, () => body.destroy(late(silenceMs)));
  let timer = watch();
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      timer.cancel();
      yield chunk;
      timer = watch();
    }
  } catch (thrown) {
    throw transportFailure(thrown);
  } finally {
    timer.cancel();
    body.destroy();
  }
}

/** A whole body of at most so many bytes, which must have come in so many milliseconds. Rejects with HostFailure. */
export async function readAll(
  body: Readable,
  { clock, most, withinMs }: { readonly clock: Clock; readonly most: number; readonly withinMs: number },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = clock.after(withinMs, () => body.destroy(late(withinMs)));
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most) throw new HostFailure("wrong", `answered with more than ${most} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (thrown) {
    throw transportFailure(thrown);
  } finally {
    timer.cancel();
    body.destroy();
  }
}

function late(ms: number): HostFailure {
  return new HostFailure("late", `did not answer within ${ms / 1_000} s`);
}
