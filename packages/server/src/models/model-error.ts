import type { ModelError, ModelErrorCode } from "./model.ts";

/** Codes after which the same call may succeed a little later. */
const retryable: ReadonlySet<ModelErrorCode> = new Set<ModelErrorCode>([
  "rate_limited",
  "overloaded",
  "server_error",
  "connection_failed",
  "timeout",
  "cut_off",
  "bad_response",
  "circuit_open",
]);

const maxMessageLength = 600;

/** Makes an error part's error; whether to retry follows from the code unless it is said. */
export function modelError(
  code: ModelErrorCode,
  message: string,
  options: { retryable?: boolean; retryAfterMs?: number | null } = {},
): ModelError {
  const short = message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)} ...` : message;
  return {
    code,
    message: short,
    retryable: options.retryable ?? retryable.has(code),
    ...(typeof options.retryAfterMs === "number" ? { retryAfterMs: options.retryAfterMs } : {}),
  };
}

export const abortedError: ModelError = modelError("aborted", "the model call was stopped");

/** Blanks out what must not be repeated, such as a key that a provider quotes in its refusal. */
export function withoutSecrets(error: ModelError, secrets: readonly string[]): ModelError {
  let message = error.message;
  for (const secret of secrets) if (secret.length >= 4) message = message.replaceAll(secret, "[secret]");
  return message === error.message ? error : { ...error, message };
}
