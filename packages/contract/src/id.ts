import { z } from "zod";

/** Every id is `<prefix>_` and 26 characters of lower-case Crockford base32 (48 bits of time, 80 random bits). */
const idBody = "[0-7][0-9a-hjkmnp-tv-z]{25}";

export const idPrefixes = {
  org: "org",
  user: "usr",
  serviceAccount: "sva",
  apiKey: "key",
  invitation: "inv",
  login: "lgn",
  shareLink: "shr",
  secret: "sec",
  sharedLink: "lnk",
  spFragment: "frg",
  budget: "bud",
  audit: "aud",
  receipt: "rct",
  export: "exp",
  agent: "agt",
  session: "ses",
  run: "run",
  step: "stp",
  message: "msg",
  toolUse: "tlu",
  approval: "apr",
  input: "inp",
  worker: "wrk",
  sandbox: "sbx",
  workspace: "wsp",
  allocation: "alc",
  request: "req",
} as const;

export type IdKind = keyof typeof idPrefixes;

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
