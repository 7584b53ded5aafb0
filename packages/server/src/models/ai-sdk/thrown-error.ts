import type { ResponseHeaders } from "../headers.ts";
import type { ModelError } from "../model.ts";
import { modelError } from "../model-error.ts";
import { errorOfNetwork } from "../network-error.ts";
import { errorOfFault, faultOfBody, readFault } from "../provider-error.ts";
import { LineTooLong } from "./capped-fetch.ts";

interface Circumstances {
  readonly origin: string;
  /** A reply had begun. */
  readonly answered: boolean;
  /** Milliseconds since 1970, for `Retry-After`. */
  readonly now: number;
}

/** Fields that the AI SDK's error classes have; the classes themselves are loaded with the provider only. */
interface SdkError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly statusCode?: unknown;
  readonly responseBody?: unknown;
  readonly responseHeaders?: unknown;
  readonly value?: unknown;
  readonly cause?: unknown;
}

/** What a provider package threw or reported, as the port's error. */
export function errorOfThrown(thrown: unknown, at: Circumstances): ModelError {
  const error = (typeof thrown === "object" && thrown !== null ? thrown : { message: thrown }) as SdkError;
  const message = typeof error.message === "string" ? error.message : "the provider package failed";
  if (hasCause(thrown, (cause) => cause instanceof LineTooLong)) {
    return modelError("bad_response", "the model provider sent a line of more than 8 MiB");
  }
  if (typeof error.statusCode === "number" && error.statusCode >= 400) {
    const body = typeof error.responseBody === "string" ? error.responseBody : message;
    const headers = (error.responseHeaders ?? {}) as ResponseHeaders;
    return errorOfFault(faultOfBody(body, error.statusCode), headers, at.now);
  }
  switch (error.name) {
    case "AI_LoadAPIKeyError":
      return modelError("authentication_failed", message);
    case "AI_NoSuchModelError":
      return modelError("model_not_found", message);
    case "AI_InvalidPromptError":
    case "AI_InvalidArgumentError":
    case "AI_UnsupportedFunctionalityError":
      return modelError("invalid_request", message);
    case "AI_JSONParseError":
    case "AI_TypeValidationError":
    case "AI_EmptyResponseBodyError":
    case "AI_InvalidResponseDataError":
      return (
        reportedFault(error.value) ??
        modelError("bad_response", `the model provider's answer cannot be read: ${message}`)
      );
    default:
  }
  if (hasCause(thrown, (cause) => cause instanceof Error && cause.name === "HTTPParserError")) {
    return modelError("bad_response", `${at.origin} does not answer in HTTP; check the provider's base URL`);
  }
  if (hasCause(thrown, isNetworkFault)) return errorOfNetwork(thrown, at.origin, at.answered);
  if (typeof error.statusCode === "number")
    return modelError("bad_response", `the provider's answer cannot be read: ${message}`);
  return reportedFault(thrown) ?? modelError("bad_response", message);
}

/** An error object that a provider put into its stream, where the package saw a malformed event. */
function reportedFault(value: unknown): ModelError | null {
  if (typeof value !== "object" || value === null || value instanceof Error) return null;
  if (!("error" in value) && !("message" in value)) return null;
  return errorOfFault(readFault(value, 0));
}

function isNetworkFault(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return (
    ("code" in cause && typeof cause.code === "string") ||
    cause.message === "terminated" ||
    cause.message === "fetch failed"
  );
}

function hasCause(thrown: unknown, fits: (cause: unknown) => boolean): boolean {
  let cause: unknown = thrown;
  for (let depth = 0; depth < 6 && cause !== undefined && cause !== null; depth++) {
    if (fits(cause)) return true;
    cause = typeof cause === "object" && "cause" in cause ? cause.cause : undefined;
  }
  return false;
}
