import { BerthError } from "./errors.ts";

const units = { GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, GB: 1e9, MB: 1e6, KB: 1e3, B: 1 } as const;

/** Bytes of a text such as `512MiB`, `64 KiB`, `1GB` or `4096`. Throws `invalid_size`. */
export function parseByteSize(text: string): number {
  const match = /^(\d+) ?([KMG]i?B|B)?$/i.exec(text.trim());
  const unit = match?.[2]?.toLowerCase() ?? "b";
  const factor = Object.entries(units).find(([name]) => name.toLowerCase() === unit)?.[1];
  const bytes = Number(match?.[1]) * (factor ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) {
    throw new BerthError(
      "invalid_size",
      `${JSON.stringify(text)} is no size: write it as 64KiB, 512MiB or a number of bytes`,
    );
  }
  return bytes;
}

/** About so many bytes, for people: `741 KiB`, `1.5 GiB`. */
export function roughByteSize(bytes: number): string {
  const unit = (["GiB", "MiB", "KiB"] as const).find((one) => bytes >= units[one]);
  if (unit === undefined) return `${bytes} B`;
  const count = bytes / units[unit];
  return `${count < 10 ? Math.round(count * 10) / 10 : Math.round(count)} ${unit}`;
}

/** The shortest text that says exactly this many bytes, as `parseByteSize` reads it: `512MiB`, `1500B`. */
export function formatByteSize(bytes: number): string {
  for (const unit of ["GiB", "MiB", "KiB"] as const) {
    if (bytes >= units[unit] && bytes % units[unit] === 0) return `${bytes / units[unit]}${unit}`;
  }
  return `${bytes}B`;
}
