import { z } from "zod";
import { BerthError } from "../../lib/errors.ts";

/** Errors of sandboxes and their files that a host may give its server. Any other is the host's own. */
const knownCodes: ReadonlySet<string> = new Set([
  "aborted",
  "command_failed_to_start",
  "command_invalid",
  "disk_full",
  "egress_rule_invalid",
  "file_exists",
  "file_failed",
  "file_not_found",
  "file_too_large",
  "not_a_directory",
  "not_a_file",
  "path_invalid",
  "pattern_invalid",
  "permission_denied",
  "port_closed",
  "port_refused",
  "process_input_closed",
  "process_not_found",
  "sandbox_busy",
  "sandbox_capacity",
  "sandbox_gone",
  "sandbox_host_error",
  "sandbox_invalid",
  "sandbox_lost",
  "sandbox_not_found",
  "sandbox_stale",
  "sandbox_timeout",
  "sandbox_unavailable",
  "sandbox_unsupported",
  "search_failed",
  "search_timeout",
  "too_many_processes",
  "workspace_full",
  "workspace_invalid",
  "workspace_not_found",
]);

const numbers = z.record(z.string().regex(/^[a-zA-Z]{1,32}$/), z.number());

/** What is in the place of an answer. */
export const errorEnvelope = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z_]{1,64}$/),
    message: z.string().max(2_000),
    retryable: z.boolean(),
    /** Sizes and waiting times. */
    details: numbers.exactOptional(),
  }),
});
export type ErrorEnvelope = z.infer<typeof errorEnvelope>;

/** An error as a host tells it. What is not one of sandboxes is the host's own affair, and told without its text. */
export function envelopeOf(thrown: unknown): ErrorEnvelope {
  if (!(thrown instanceof BerthError) || !knownCodes.has(thrown.code)) {
    const message = "The sandbox host could not do it; its log says why.";
    return { error: { code: "sandbox_host_error", message, retryable: true } };
  }
  const { code, message, retryable } = thrown;
  const details = numbers.safeParse(
    Object.fromEntries(Object.entries(thrown.details).filter(([, value]) => typeof value === "number")),
  );
  return {
    error: {
      code,
      message: message.slice(0, 2_000),
      retryable,
      ...(details.success && { details: details.data }),
    },
  };
}

/** What a host told, as an error again. The text is the host's: control characters are taken out. Null for a code that there is not. */
export function errorOf({ error }: ErrorEnvelope): BerthError | null {
  const { code, retryable, details = {} } = error;
  if (!knownCodes.has(code)) return null;
  const message = error.message.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
  return new BerthError(code, message, { retryable, details });
}

/** HTTP status beside an envelope. */
export function statusOf(code: string): number {
  if (code === "unauthenticated") return 401;
  if (code.endsWith("_not_found")) return 404;
  if (code === "sandbox_host_error") return 500;
  if (code === "sandbox_unavailable" || code === "sandbox_capacity") return 503;
  return 409;
}
