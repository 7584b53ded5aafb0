import { z } from "zod";

/** RFC 9457, as `application/problem+json`. */
export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe("a sentence that says what to do"),
  code: z.string().describe("stable, snake_case"),
  requestId: z.string(),
  retryable: z.boolean().optional(),
  errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problem>;
