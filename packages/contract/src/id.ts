import { z } from "zod";
import { type IdKind, idPrefixes } from "./id-prefixes.ts";

/** Every id is `<prefix>_` and 26 characters of lower-case Crockford base32 (48 bits of time, 80 random bits). */
const idBody = "[0-7][0-9a-hjkmnp-tv-z]{25}";

/** Schema of an id of one kind, for example `ses_01jd…`. */
export function idSchema(kind: IdKind) {
  return z
    .string()
    .regex(
      new RegExp(`^${idPrefixes[kind]}_${idBody}$`),
      `must be an id that begins with ${idPrefixes[kind]}_`,
    );
}

export const timestamp = z.iso.datetime().describe("RFC 3339, UTC");
