import type { ExecBody, ExecResult, OutputFrame, ProcessEnd } from "@berth/contract";
import { createParser } from "eventsource-parser";
import { backoffMs, pause } from "./clock.ts";
import { BerthApiError, BerthConnectionError, errorOfResponse, isPassing } from "./error.ts";
import { refusalOf } from "./refusal.ts";
import type { Connector } from "./session/event-source.ts";
import { createWatchdog } from "./watchdog.ts";

/** What a command tells while it runs, and last how it ended. */
export type ExecEvent =
  | ({ readonly type: "output" } & OutputFrame)
  | { readonly type: "result"; readonly result: ExecResult };

/** The same of a background process. */
export type FollowedOutput =
  | ({ readonly type: "output" } & OutputFrame)
  | ({ readonly type: "exit" } & ProcessEnd);

interface OutputRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface OutputEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: unknown;
}

/** It is sent once, and a connection that is cut ends the command. */
export async function* execStream(
  connector: Connector,
  { path, body }: { readonly path: string; readonly body: ExecBody },
  signal?: AbortSignal,
): AsyncGenerator<ExecEvent> {
  for await (const { event, data } of readOutput(connector, { method: "POST", path, body }, signal)) {
    if (event === "output") yield { type: "output", ...(data as OutputFrame) };
    if (event === "result") return yield { type: "result", result: data as ExecResult };
  }
  throw new BerthConnectionError(connector.http.url(path).origin, new Error("the command's answer was cut"));
}

/** A connection that is cut is opened again where it ended. */
export async function* followProcess(
  connector: Connector,
  { path, from }: { readonly path: string; readonly from: number },
  signal?: AbortSignal,
): AsyncGenerator<FollowedOutput> {
  const { clock, backoff, random, retries } = connector.http.options;
  let offset = String(from);
  for (let failed = 0; ; failed += 1) {
    try {
      const headers = { "last-event-id": offset };
      for await (const { event, id, data } of readOutput(
        connector,
        { method: "GET", path, headers },
        signal,
      )) {
        failed = 0;
        if (event === "output") yield { type: "output", ...(data as OutputFrame) };
        if (event === "exit") return yield { type: "exit", ...(data as ProcessEnd) };
        offset = id ?? offset;
      }
    } catch (thrown) {
      signal?.throwIfAborted();
      const passing =
        thrown instanceof BerthApiError ? isPassing(thrown.status) : thrown instanceof BerthConnectionError;
      if (!passing || failed >= retries) throw thrown;
    }
    await pause(clock, backoffMs(backoff, failed, random), signal);
  }
}

/** The events of one connection. `event: end` becomes the error that it tells. */
async function* readOutput(
  { http, silenceMs }: Connector,
  { method, path, body, headers = {} }: OutputRequest,
  signal?: AbortSignal,
): AsyncGenerator<OutputEvent> {
  const ended = new AbortController();
  const watchdog = createWatchdog(http.options.clock, silenceMs, (reason) => ended.abort(reason));
  const target = http.url(path);
  const signals = signal === undefined ? [ended.signal] : [ended.signal, signal];
  try {
    const response = await watchdog.during(
      http.options.fetch(target, {
        method,
        headers: {
          accept: "text/event-stream",
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
          ...(await http.authorization()),
        },
        signal: AbortSignal.any(signals),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
    if (!response.ok) throw await errorOfResponse(response, http.options.clock.now());
    if (response.body === null) return;
    const events: OutputEvent[] = [];
    const parser = createParser({
      onEvent: ({ id, event = "", data }) =>
        events.push({ event, id: id ?? null, data: JSON.parse(data) as unknown }),
    });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await watchdog.during(reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      for (const event of events.splice(0)) {
        if (event.event === "end") throw refusalOf(event.data as { code: string; message: string });
        yield event;
      }
    }
  } catch (thrown) {
    signal?.throwIfAborted();
    if (thrown instanceof BerthApiError) throw thrown;
    throw new BerthConnectionError(target.origin, ended.signal.aborted ? ended.signal.reason : thrown);
  } finally {
    watchdog.stop();
    ended.abort();
  }
}
