import type { BerthError } from "../../lib/errors.ts";
import type { ToolOutcome } from "../tool.ts";

type Failure = Pick<Extract<ToolOutcome, { ok: false }>, "message" | "retryable" | "suggestions">;

const later = "Files can be read and written meanwhile: that needs no sandbox.";
/** What to do when a sandbox was lost. */
export const newSandboxText =
  "Call the tool again: it gets a new sandbox with the same files. Background processes of the old one have ended.";

/** What a model and its user are told when there is no sandbox, or no longer; null for any other error. */
export function sandboxProblem({ code, message, retryable, details }: BerthError): Failure | null {
  switch (code) {
    case "sandbox_quota":
    case "sandbox_capacity":
      return { message, retryable: true, suggestions: [waitText(details["retryAfterMs"]), later] };
    case "sandbox_unavailable":
    case "sandbox_host_error":
    case "sandbox_timeout":
    case "sandbox_busy":
      return { message, retryable, suggestions: retryable ? [waitText(details["retryAfterMs"])] : [] };
    case "sandbox_lost":
    case "sandbox_gone":
    case "sandbox_not_found":
    case "sandbox_stale":
      return {
        message: `The sandbox was lost: ${message} What the command did until then is not known.`,
        retryable: true,
        suggestions: [newSandboxText],
      };
    default:
      return null;
  }
}

function waitText(retryAfterMs: unknown): string {
  if (typeof retryAfterMs !== "number") return "Try again in a moment.";
  return `Try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s.`;
}
