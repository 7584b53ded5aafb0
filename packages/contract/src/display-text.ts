import { z } from "zod";

/** What people are shown as one line: no control characters, and none that turn the direction of what follows. */
export function displayText(max: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(
      /^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+$/u,
      "must be one line without control characters",
    );
}
