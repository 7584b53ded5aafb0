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

/** A piece of a secret that is shorter is not looked for. */
const shortestPiece = 4;

/** Blanks out what must not be repeated, such as a key that a provider quotes in its refusal, also where a text was cut in its middle. */
export function withoutSecrets(error: ModelError, secrets: readonly string[]): ModelError {
  let { message } = error;
  for (const secret of secrets) {
    if (secret.length < shortestPiece) continue;
    for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]))
      message = withoutCutEnd(message.replaceAll(form, "[secret]"), form);
  }
  return message === error.message ? error : { ...error, message };
}

/** Texts of providers are cut at some length before they come here; what stands after them is ours and short. */
function withoutCutEnd(message: string, secret: string): string {
  for (let length = secret.length - 1; length >= shortestPiece; length--) {
    const piece = secret.slice(0, length);
    const at = message.lastIndexOf(piece);
    if (at !== -1 && isCutEnd(message.slice(at + length))) {
      return `${message.slice(0, at)}[secret]${message.slice(at + length)}`;
    }
  }
  return message;
}

function isCutEnd(rest: string): boolean {
  return rest === "" || rest.startsWith(" ...") || rest.startsWith('"') || rest.startsWith("; check ");
}
