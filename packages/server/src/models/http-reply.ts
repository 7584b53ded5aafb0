import { header, type ResponseHeaders } from "./headers.ts";
import type { ModelError } from "./model.ts";
import { modelError } from "./model-error.ts";
import { errorOfFault, faultOfBody, type ProviderFault } from "./provider-error.ts";

const maxJsonBytes = 32 * 1024 * 1024;
const maxRefusalBytes = 64 * 1024;

/** A provider's reply as its head tells it: a stream of events, one JSON answer, or a refusal with words in its body. */
export class HttpReply {
  readonly kind: "events" | "json" | "refusal";
  readonly #status: number;
  readonly #headers: ResponseHeaders;
  readonly #body: Buffer[] = [];
  #bytes = 0;

  constructor(status: number, headers: ResponseHeaders) {
    this.#status = status;
    this.#headers = headers;
    const type = header(headers, "content-type");
    if (status >= 300 || type.startsWith("text/html")) this.kind = "refusal";
    else this.kind = type.startsWith("application/json") ? "json" : "events";
  }

  /** Keeps a piece of the body; of a refusal only its beginning. False when there is too much of it. */
  keep(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    const fits = this.#bytes <= (this.kind === "json" ? maxJsonBytes : maxRefusalBytes);
    if (fits) this.#body.push(chunk);
    return fits || this.kind === "refusal";
  }

  text(): string {
    return Buffer.concat(this.#body).toString("utf8");
  }

  /** What a refusal says. */
  fault(): ProviderFault {
    return faultOfBody(this.text(), this.#status);
  }

  error(now: number): ModelError {
    const fault = this.fault();
    if (this.#status < 300) {
      return modelError(
        "bad_response",
        `the model provider answered with ${fault.message}; check its base URL`,
      );
    }
    if (this.#status < 400) {
      const to = header(this.#headers, "location") || "another address";
      const message = `the provider's base URL redirects to ${to}; use that one`;
      return modelError("bad_response", message, { retryable: false });
    }
    return errorOfFault(fault, this.#headers, now);
  }
}
