import { createHash } from "node:crypto";
import type { Principal } from "../auth/principal.ts";
import { invalidCredential } from "../auth/unauthenticated.ts";

/** Throws `unauthenticated` when a signed request has another body than was signed. */
export function requireSignedBody(principal: Principal | null, bytes: Uint8Array): void {
  const signed = principal?.credential.bodyHash;
  if (signed === undefined) return;
  if (createHash("sha256").update(bytes).digest("hex") !== signed) throw invalidCredential();
}
