import { createHmac, randomBytes } from "node:crypto";
import { Secret } from "../lib/secret.ts";

/** What a token is good for. One that was made for one purpose has another hash for every other. */
export type TokenPurpose = "invitation" | "login" | "csrf" | "share link";

const prefixes: Readonly<Record<TokenPurpose, string>> = {
  invitation: "ivt",
  login: "lgn",
  csrf: "csr",
  "share link": "shr",
};

export interface NewToken {
  /** Shown once, and kept nowhere. */
  readonly token: Secret;
  /** What is stored in its place. */
  readonly hash: string;
}

/** A token of 256 random bits, and the hash to store and to look it up by. */
export function makeToken(purpose: TokenPurpose, pepper: Buffer): NewToken {
  const text = `${prefixes[purpose]}_${randomBytes(32).toString("base64url")}`;
  return { token: new Secret(text), hash: hashToken(text, { purpose, pepper }) };
}

/** Hex HMAC-SHA-256 under the server's pepper: who has the database alone has no token and cannot try one. */
export function hashToken(
  text: string,
  { purpose, pepper }: { readonly purpose: TokenPurpose; readonly pepper: Buffer },
): string {
  return createHmac("sha256", pepper).update(`${purpose}\n${text}`).digest("hex");
}
