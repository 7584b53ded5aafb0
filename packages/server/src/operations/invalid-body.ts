import { BerthError } from "../lib/errors.ts";

/** A request whose body has a fault that its schema cannot see. */
export function invalidBody(pointer: string, detail: string): BerthError {
  return new BerthError("validation_failed", `The body is not valid: ${pointer} ${detail}`, {
    details: { errors: [{ pointer, detail }] },
  });
}
