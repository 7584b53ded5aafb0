import { BerthError } from "./errors.ts";

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

const pattern = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;

/**
 * Milliseconds of a text such as `250ms`, `30s`, `5m`, `1h30m` or `2d`: whole numbers, each with its unit, the biggest
 * first. Only `0` needs no unit. Throws `invalid_duration`.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  const match = pattern.exec(trimmed);
  if (match === null || trimmed === "") {
    throw new BerthError(
      "invalid_duration",
      `${JSON.stringify(text)} is no duration: write it as 250ms, 30s, 1h30m or 7d`,
    );
  }
  const [, d, h, m, s, ms] = match.map((part) => Number(part ?? 0));
  const total =
    (d ?? 0) * unitMs.d +
    (h ?? 0) * unitMs.h +
    (m ?? 0) * unitMs.m +
    (s ?? 0) * unitMs.s +
    (ms ?? 0) * unitMs.ms;
  if (!Number.isSafeInteger(total))
    throw new BerthError("invalid_duration", `${JSON.stringify(text)} is too long a time`);
  return total;
}

/** The text of a number of milliseconds, as `parseDuration` reads it: `1h30m`, `250ms`, `0s`. Fractions are rounded. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  let text = "";
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === "" ? "0s" : text;
}
