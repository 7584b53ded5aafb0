import type { Dispatcher } from "undici";
import type { Clock } from "../lib/clock.ts";
import type { AnswerParser } from "./answer-parser.ts";
import { Deadline } from "./deadline.ts";
import type { ResponseHeaders } from "./headers.ts";
import { HttpReply } from "./http-reply.ts";
import type { ModelError, ModelPart } from "./model.ts";
import { abortedError, modelError, withoutSecrets } from "./model-error.ts";
import type { ModelTimeouts } from "./model-timeouts.ts";
import { errorOfNetwork } from "./network-error.ts";
import { PartQueue } from "./part-queue.ts";
import type { ProviderFault } from "./provider-error.ts";
import { SseSplitter } from "./sse-splitter.ts";

export interface HttpCall {
  readonly dispatcher: Dispatcher;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Called for each attempt: a refusal may have taught the adapter what to leave out. */
  readonly body: () => string;
  readonly parser: () => AnswerParser;
  /** True when the refused request can be sent again at once in another form. */
  readonly adapt: (fault: ProviderFault) => boolean;
  readonly timeouts: ModelTimeouts;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly secrets: readonly string[];
}

const maxAdaptations = 4;
/** After the model has stopped: how long its usage is waited for, and how long a socket may take to become free. */
const trailingMs = 5_000;
const stopped = new Error("the model call is over");

/** One call to a provider over HTTP, read as server-sent events or as one JSON reply. */
export function httpAnswer(call: HttpCall): AsyncIterable<readonly ModelPart[]> {
  return { [Symbol.asyncIterator]: () => new HttpAnswer(call).start() };
}

class HttpAnswer implements Dispatcher.DispatchHandler {
  readonly #call: HttpCall;
  readonly #queue: PartQueue;
  readonly #deadline: Deadline;
  readonly #onAbort = () => this.#fail(abortedError);
  #parser: AnswerParser;
  #splitter: SseSplitter;
  #controller: Dispatcher.DispatchController | null = null;
  #phase: "connecting" | "waiting" | "streaming" | "over" = "connecting";
  #reply: HttpReply | null = null;
  #adaptations = 0;
  #events = 0;
  #ended = false;

  constructor(call: HttpCall) {
    this.#call = call;
    this.#parser = call.parser();
    this.#splitter = new SseSplitter((data) => this.#event(data));
    this.#deadline = new Deadline(call.clock, () => this.#timedOut());
    this.#queue = new PartQueue({
      onReturn: () => this.#stop(),
      onFull: () => this.#controller?.pause(),
      onDrained: () => this.#controller?.resume(),
    });
  }

  start(): AsyncIterator<readonly ModelPart[]> {
    const { signal } = this.#call;
    if (signal.aborted) {
      this.#fail(abortedError);
      return this.#queue;
    }
    signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#send();
    return this.#queue;
  }

  #send(): void {
    const { dispatcher, url, headers, timeouts } = this.#call;
    this.#phase = "connecting";
    this.#controller = null;
    this.#deadline.set(timeouts.connectMs);
    try {
      dispatcher.dispatch(
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: "POST",
          headers: { ...headers },
          body: this.#call.body(),
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        this,
      );
    } catch (error) {
      this.onResponseError(null, error);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#phase === "over") return controller.abort(stopped);
    this.#controller = controller;
    this.#phase = "waiting";
    this.#deadline.set(this.#call.timeouts.firstTokenMs);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
  ): void {
    if (status >= 200) this.#reply = new HttpReply(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const reply = this.#reply;
    if (this.#phase === "over" || reply === null) return;
    if (reply.kind !== "events") {
      if (!reply.keep(chunk))
        this.#fail(modelError("bad_response", "the model provider's reply is too long"));
    } else if (this.#splitter.push(chunk)) this.#flush();
    else this.#fail(modelError("bad_response", "the model provider sent a line of more than 8 MiB"));
  }

  onResponseEnd(): void {
    const reply = this.#reply;
    if (this.#phase === "over" || reply === null) return this.#deadline.clear();
    if (reply.kind === "refusal") return this.#refused(reply);
    this.#ended = true;
    if (reply.kind === "json") this.#whole(reply.text());
    else this.#splitter.end();
    this.#flush();
    if (this.#parser.finish !== null) this.#finish();
    else this.#fail(this.#unfinished());
    this.#deadline.clear();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: unknown): void {
    const reply = this.#reply;
    if (this.#phase === "over") return this.#deadline.clear();
    if (reply?.kind === "refusal") return this.#refused(reply);
    if (this.#parser.finish !== null) this.#finish();
    else this.#fail(errorOfNetwork(error, this.#call.url.origin, reply !== null));
    this.#deadline.clear();
  }

  #event(data: string): void {
    if (this.#phase === "over" || this.#parser.done || this.#parser.error !== null) return;
    this.#events++;
    try {
      this.#parser.event(data);
    } catch {
      // What was cut off in the middle of an event is no garbage.
      if (!this.#ended) this.#garbage(data);
    }
  }

  #whole(body: string): void {
    try {
      this.#parser.whole(JSON.parse(body));
    } catch {
      this.#garbage(body);
    }
  }

  #garbage(data: string): void {
    this.#flush();
    const start = JSON.stringify(data.slice(0, 120));
    this.#fail(
      modelError(
        "bad_response",
        `the model provider sent something that is no answer, beginning with ${start}`,
      ),
    );
  }

  /** Hands on what has been read and looks whether the answer is over. */
  #flush(): void {
    if (this.#phase === "over") return;
    const parts = this.#parser.writer.take();
    if (this.#parser.error !== null) {
      this.#queue.push(parts);
      return this.#fail(this.#parser.error);
    }
    if (this.#parser.done) {
      this.#finish(parts);
      // The reply may run out by itself, so that its connection can be used again.
      return this.#deadline.set(trailingMs);
    }
    this.#queue.push(parts);
    if (this.#parser.finish !== null) this.#deadline.set(Math.min(trailingMs, this.#call.timeouts.idleMs));
    else if (this.#phase === "streaming") this.#deadline.extend(this.#call.timeouts.idleMs);
    else if (parts.length > 0) {
      this.#phase = "streaming";
      this.#deadline.set(this.#call.timeouts.idleMs);
    }
  }

  #refused(reply: HttpReply): void {
    const fault = reply.fault();
    if (fault.status >= 400 && this.#adaptations < maxAdaptations && this.#call.adapt(fault)) {
      this.#adaptations++;
      this.#parser = this.#call.parser();
      this.#reply = null;
      return this.#send();
    }
    this.#fail(reply.error(this.#call.clock.now()));
  }

  #unfinished(): ModelError {
    if (this.#events > 0) return modelError("cut_off", "the model's answer ended in the middle");
    return modelError("bad_response", "the model provider sent an empty answer");
  }

  #timedOut(): void {
    const { connectMs, firstTokenMs, idleMs } = this.#call.timeouts;
    const { origin } = this.#call.url;
    if (this.#phase === "over") return this.#controller?.abort(stopped);
    if (this.#parser.finish !== null) {
      this.#finish();
      return this.#controller?.abort(stopped);
    }
    if (this.#phase === "connecting")
      return this.#fail(modelError("timeout", `no connection to ${origin} within ${connectMs} ms`));
    if (this.#phase === "waiting")
      return this.#fail(modelError("timeout", `the model began no answer within ${firstTokenMs} ms`));
    this.#fail(modelError("timeout", `the model was silent for ${idleMs} ms in the middle of its answer`));
  }

  #finish(parts: readonly ModelPart[] = []): void {
    if (this.#phase === "over") return;
    const { usage, finish } = this.#parser;
    const spent: readonly ModelPart[] = usage === null ? [] : [{ type: "usage", usage }];
    this.#close([...parts, ...spent, { type: "finish", finish: finish ?? "stop" }]);
  }

  #fail(error: ModelError): void {
    if (this.#phase === "over") return;
    const { usage } = this.#parser;
    const spent: readonly ModelPart[] = usage === null ? [] : [{ type: "usage", usage }];
    this.#close([...spent, { type: "error", error: withoutSecrets(error, this.#call.secrets) }]);
    this.#deadline.clear();
    this.#controller?.abort(stopped);
  }

  #close(last: readonly ModelPart[]): void {
    this.#phase = "over";
    this.#call.signal.removeEventListener("abort", this.#onAbort);
    this.#queue.push(last);
    this.#queue.end();
  }

  #stop(): void {
    if (this.#phase === "over") return;
    this.#close([]);
    this.#deadline.clear();
    this.#controller?.abort(stopped);
  }
}
