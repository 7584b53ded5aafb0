import { createHmac, timingSafeEqual } from "node:crypto";

/** How old a signed header may be, and how far the proxy's clock may be ahead. Milliseconds. */
const longestAgeMs = 60_000;

/** The HMAC of an authenticating proxy: hex HMAC-SHA-256 over `<seconds>.<value of X-User-Info>`. */
function ssoSignature(value: string, seconds: number, secret: string): string {
  return createHmac("sha256", secret).update(`${seconds}.${value}`).digest("hex");
}

/** Whether `X-User-Info-Signature`, `t=<seconds since 1970>,v1=<hex>`, was made by who has the secret, and within the last minute. */
export function isSignedSso(
  value: string,
  { signature, secret, now }: { readonly signature: string; readonly secret: string; readonly now: number },
): boolean {
  const [, seconds, given] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  if (seconds === undefined || given === undefined) return false;
  const expected = Buffer.from(ssoSignature(value, Number(seconds), secret), "hex");
  const isSame = timingSafeEqual(Buffer.from(given, "hex"), expected);
  return isSame && Math.abs(now - Number(seconds) * 1_000) <= longestAgeMs;
}
