import { type IdKind, idPrefixes } from "@berth/contract";

/** A valid id that says which one it is: `idOf("run", 2)` is run_00…02. */
export function idOf(kind: IdKind, number: number): string {
  return `${idPrefixes[kind]}_${String(number).padStart(26, "0")}`;
}

/** A valid SHA-256 in hex that says which one it is. */
export function hashOf(number: number): string {
  return String(number).padStart(64, "0");
}

/** Where the time of stories and of the driver begins: 2030-01-01T00:00:00Z. */
export const epochMs = Date.UTC(2030, 0, 1);

export function isoAt(ms: number): string {
  return new Date(ms).toISOString();
}
