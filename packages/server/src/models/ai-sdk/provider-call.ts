import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { Deadline } from "../deadline.ts";
import type { ModelError, ModelPart, ModelRequest } from "../model.ts";
import { abortedError, modelError, withoutSecrets } from "../model-error.ts";
import type { ModelTimeouts } from "../model-timeouts.ts";
import { PartQueue } from "../part-queue.ts";
import { ProviderAnswer } from "./answer.ts";
import type { LanguageModelOf } from "./load-provider.ts";
import { callOptions, type TakesUrl } from "./prompt.ts";
import { errorOfThrown } from "./thrown-error.ts";

export interface CallOptions {
  readonly load: () => Promise<LanguageModelOf>;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  readonly timeouts: ModelTimeouts;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  /** Where the call goes, for messages. */
  readonly origin: string;
}

/** One call of a provider package. Parts that it yields in one turn of the event loop become one array. */
export class ProviderCall {
  readonly #call: CallOptions;
  readonly #answer: ProviderAnswer;
  readonly #inner = new AbortController();
  readonly #queue = new PartQueue({ onReturn: () => this.#close([]) });
  readonly #deadline: Deadline;
  readonly #onAbort = () => this.#fail(abortedError);
  #streaming = false;
  #answered = false;
  #flushing = false;
  #over = false;

  constructor(call: CallOptions) {
    this.#call = call;
    this.#answer = new ProviderAnswer(call.origin);
    this.#deadline = new Deadline(call.clock, () => this.#timedOut());
  }

  start(): AsyncIterator<readonly ModelPart[]> {
    const { signal, timeouts } = this.#call;
    if (signal.aborted) this.#fail(abortedError);
    else {
      signal.addEventListener("abort", this.#onAbort, { once: true });
      this.#deadline.set(timeouts.firstTokenMs);
      void this.#run();
    }
    return this.#queue;
  }

  async #run(): Promise<void> {
    const { load, request } = this.#call;
    try {
      const model = (await load())(request.model);
      const options = callOptions(request, await urlRule(model));
      const { stream } = await model.doStream({ ...options, abortSignal: this.#inner.signal });
      this.#answered = true;
      await this.#read(stream.getReader());
    } catch (error) {
      this.#fail(this.#errorOf(error));
    }
  }

  async #read(reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart>): Promise<void> {
    const answer = this.#answer;
    try {
      while (!this.#over) {
        const { done, value } = await reader.read();
        if (done) return this.#fail(modelError("cut_off", "the model's answer ended in the middle"));
        answer.take(value);
        if (answer.error !== null) return this.#fail(answer.error);
        if (answer.finish !== null) return this.#finish();
        this.#scheduleFlush();
      }
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }

  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#over) return;
    const parts = this.#answer.writer.take();
    if (this.#streaming) this.#deadline.extend(this.#call.timeouts.idleMs);
    else if (parts.length > 0) {
      this.#streaming = true;
      this.#deadline.set(this.#call.timeouts.idleMs);
    }
    this.#queue.push(parts);
  }

  #errorOf(error: unknown): ModelError {
    if (error instanceof BerthError) return modelError("invalid_request", error.message);
    const { origin, clock } = this.#call;
    return errorOfThrown(error, { origin, answered: this.#answered, now: clock.now() });
  }

  #timedOut(): void {
    const { firstTokenMs, idleMs } = this.#call.timeouts;
    const message = this.#streaming
      ? `the model was silent for ${idleMs} ms in the middle of its answer`
      : `the model began no answer within ${firstTokenMs} ms`;
    this.#fail(modelError("timeout", message));
  }

  #finish(): void {
    this.#close([...this.#spent(), { type: "finish", finish: this.#answer.finish ?? "stop" }]);
  }

  #fail(error: ModelError): void {
    this.#close([...this.#spent(), { type: "error", error: withoutSecrets(error, this.#call.secrets) }]);
  }

  #spent(): readonly ModelPart[] {
    const { usage } = this.#answer;
    return usage === null ? [] : [{ type: "usage", usage }];
  }

  #close(last: readonly ModelPart[]): void {
    if (this.#over) return;
    this.#queue.push([...this.#answer.writer.take(), ...last]);
    this.#over = true;
    this.#call.signal.removeEventListener("abort", this.#onAbort);
    this.#deadline.clear();
    this.#queue.end();
    this.#inner.abort();
  }
}

/** The URLs that the provider itself fetches, by media type. */
async function urlRule(model: LanguageModelV4): Promise<TakesUrl> {
  const rules = Object.entries(await model.supportedUrls);
  return (url, mediaType) =>
    rules.some(([type, patterns]) => {
      const fits =
        type === "*/*" ||
        type === mediaType ||
        (type.endsWith("/*") && mediaType.startsWith(type.slice(0, -1)));
      return fits && patterns.some((pattern) => pattern.test(url.toLowerCase()));
    });
}
