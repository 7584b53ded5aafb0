import { getRandomValues } from "node:crypto";
import { type IdKind, idPrefixes } from "@berth/contract";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const randomness = new Uint8Array(16 * 256);
let used = randomness.length;

/** A new id of a kind: sortable by millisecond, 80 random bits, 26 characters after the prefix (the layout of ULID). */
export function newId(kind: IdKind, now: number = Date.now()): string {
  if (used === randomness.length) {
    getRandomValues(randomness);
    used = 0;
  }
  let time = "";
  let rest = now;
  for (let i = 0; i < 10; i++) {
    time = alphabet[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let tail = "";
  for (let i = 0; i < 16; i++) tail += alphabet[(randomness[used + i] as number) & 31];
  used += 16;
  return `${idPrefixes[kind]}_${time}${tail}`;
}
