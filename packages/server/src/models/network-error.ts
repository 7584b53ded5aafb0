import type { ModelError } from "./model.ts";
import { modelError } from "./model-error.ts";

/** The system's or the HTTP client's code of a failed call, for example ECONNREFUSED; empty when there is none. */
export function networkCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  // A connection that was tried on several addresses fails with one error for each of them.
  if ("errors" in error && Array.isArray(error.errors)) return networkCode(error.errors[0]);
  return "cause" in error ? networkCode(error.cause) : "";
}

/**
 * What a socket's failure means. `origin` is where the call went; `answered` says that a reply had begun.
 */
export function errorOfNetwork(error: unknown, origin: string, answered: boolean): ModelError {
  const code = networkCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === "address_refused") {
    return modelError(
      "invalid_request",
      `${origin} is no place where this server may call a model: ${message}`,
    );
  }
  const garbled = error instanceof Error && error.name === "HTTPParserError";
  if (garbled || code === "UND_ERR_HEADERS_OVERFLOW") {
    return modelError("bad_response", `${origin} does not answer in HTTP; check the provider's base URL`);
  }
  if (answered) return modelError("cut_off", `${origin} ended the connection in the middle of an answer`);
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") {
    return modelError(
      "timeout",
      `no connection to ${origin} in time; check the provider's base URL and the network`,
    );
  }
  return modelError(
    "connection_failed",
    `no connection to ${origin} (${code || message}); check that the provider runs there`,
  );
}
