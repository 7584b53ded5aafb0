import { setTimeout as pause } from "node:timers/promises";
import { BerthApiError, type BerthClient, type SandboxInfo } from "@berth/client";
import type { Command } from "commander";
import { systemClock } from "../../lib/clock.ts";
import { formatDuration } from "../../lib/duration.ts";
import type { CommandContext } from "../context.ts";
import { inOrg } from "../identity/org-option.ts";
import { patienceOf } from "../patience.ts";
import { timeOption } from "../time-option.ts";

/** For what may have to wait until a sandbox is free. */
export function inSandbox(command: Command): Command {
  return inOrg(command)
    .option(
      "--wait <time>",
      "how long to wait when no sandbox is free, for example 5m; default: 60s",
      timeOption({ least: 0, most: mostWaitMs }),
    )
    .option("--no-wait", "do not wait");
}

/** What finding a sandbox takes. */
export type Waiting = Pick<CommandContext<unknown>, "flags" | "signal" | "onBusy">;

/** By when a sandbox is free or nobody waits any more, milliseconds. */
const mostWaitMs = 86_400_000;
/** What one request may wait. */
const mostRequestMs = 600_000;

const passing: ReadonlySet<string> = new Set([
  "sandbox_quota",
  "sandbox_capacity",
  "sandbox_gone",
  "sandbox_lost",
  "sandbox_host_error",
  "sandbox_timeout",
]);
/** The first refusal, which says why, comes within this. */
const firstMs = 1_000;
const pauseMs = 1_000;

/** The session's sandbox, given to it when it has none. Says what it waits for, and rejects when that was not there in time. */
export async function sandboxOf(
  { flags, signal, onBusy }: Waiting,
  berth: BerthClient,
  sessionId: string,
): Promise<SandboxInfo> {
  const begun = systemClock.monotonic();
  const given = patienceOf(flags, "sandbox_quota");
  for (let waitMs = Math.min(firstMs, given); ;) {
    try {
      return await berth.sandboxes.create(sessionId, { waitMs, retries: 0, signal });
    } catch (thrown) {
      if (!(thrown instanceof BerthApiError) || !passing.has(thrown.code)) throw thrown;
      const patienceMs = patienceOf(flags, thrown.code);
      const left = patienceMs - (systemClock.monotonic() - begun);
      if (left < 1) throw patienceMs === 0 ? thrown : after(patienceMs, thrown);
      onBusy(thrown);
      // A timer that keeps the process alive: nothing else does meanwhile. Once broken off, the next call rejects.
      await pause(Math.min(pauseMs, left), undefined, { signal }).catch(() => undefined);
      const rest = Math.max(0, patienceMs - (systemClock.monotonic() - begun));
      waitMs = Math.round(Math.min(mostRequestMs, rest));
    }
  }
}

function after(ms: number, refusal: BerthApiError): BerthApiError {
  const { status, code, requestId, retryable, errors, details } = refusal;
  const detail = `${refusal.detail} It was so for ${formatDuration(ms)}: wait longer with --wait, or see ./berth sandbox list.`;
  const problem = { code, detail, retryable, errors: [...errors], details };
  return new BerthApiError(status, { ...problem, ...(requestId !== null && { requestId }) });
}
