import type { BerthApiError } from "@berth/client";
import { formatDuration, parseDuration } from "../lib/duration.ts";
import { safeText } from "./terminal/safe-text.ts";

/** Told when a command waits because of a refusal that may pass. */
export type OnBusy = (refusal: BerthApiError) => void;

interface WaitFlags {
  readonly wait?: string | boolean;
}

const usualMs = 60_000;
/** A host that is not there is seldom there a moment later. */
const brokenMs = 5_000;

const broken: ReadonlySet<string> = new Set(["sandbox_host_error", "sandbox_timeout", "workspace_lost"]);

/** How long a command waits after such a refusal, milliseconds. */
export function patienceOf({ wait }: WaitFlags, code: string): number {
  if (wait === false) return 0;
  if (typeof wait === "string") return parseDuration(wait);
  return broken.has(code) ? brokenMs : usualMs;
}

/** Says on standard error what a command waits for, once for each reason, and by which options that changes where the command has them. Other servers' troubles are short, and pass in silence. */
export function tellOfWaits(
  flags: WaitFlags,
  { err, options }: { readonly err: (text: string) => void; readonly options: boolean },
): OnBusy {
  const told = new Set<string>();
  return ({ code, detail }) => {
    if (told.has(code) || !/^(?:sandbox|workspace)_/.test(code)) return;
    told.add(code);
    const most = formatDuration(patienceOf(flags, code));
    const advice = options ? " (--wait, --no-wait)" : "";
    err(`${safeText(detail)} Waiting, for ${most} at most${advice}.\n`);
  };
}
