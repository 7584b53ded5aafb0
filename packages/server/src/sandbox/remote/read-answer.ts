import { BerthError } from "../../lib/errors.ts";
import type { Call } from "../protocol/call.ts";
import { errorEnvelope, errorOf } from "../protocol/errors.ts";
import { HostFailure } from "./failures.ts";

/** What a call gives, if the answer is one to the letter. Throws HostFailure. */
export function resultOf<R>({ answer, name }: Pick<Call<never, R>, "answer" | "name">, bytes: Buffer): R {
  const value = parse(bytes);
  const isResult = typeof value === "object" && value !== null && Object.keys(value).join() === "result";
  const parsed = isResult && "result" in value ? answer?.safeParse(value.result) : undefined;
  if (parsed?.success === true) return parsed.data;
  throw new HostFailure("wrong", `gave an answer to "${name}" that breaks the protocol`, parsed?.error);
}

/** The error that stands in the place of an answer; a HostFailure when there is none, or one that hosts do not give. */
export function refusalOf(bytes: Buffer): Error {
  let value: unknown;
  try {
    value = parse(bytes);
  } catch (thrown) {
    return thrown as HostFailure;
  }
  return errorIn(value) ?? new HostFailure("wrong", "refused a call without saying why");
}

/** The error of an envelope; null when it is none. */
export function errorIn(value: unknown): Error | null {
  const parsed = errorEnvelope.safeParse(value);
  if (!parsed.success) return null;
  const { code, message } = parsed.data.error;
  if (code === "call_invalid" || code === "call_too_large")
    return new BerthError("sandbox_unsupported", message);
  return errorOf(parsed.data) ?? new HostFailure("wrong", `refused a call (${code})`);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch {
    throw new HostFailure("wrong", "gave an answer that is no JSON");
  }
}
