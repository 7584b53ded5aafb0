import { createHmac, timingSafeEqual } from "node:crypto";
import { Secret } from "../lib/secret.ts";

/** What a signed request says in its `Authorization` header. */
export interface RequestSignature {
  /** The key's prefix: no secret. */
  readonly prefix: string;
  /** Seconds since 1970. */
  readonly seconds: number;
  readonly nonce: string;
  /** Hex SHA-256 of the body; of nothing when there is none. */
  readonly bodyHash: string;
  /** Hex. */
  readonly mac: string;
}

/** What a signature is made over besides. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly target: string;
  /** `X-Berth-Org`; empty when there is none. */
  readonly org: string;
}

export const signatureScheme = "berth-hmac-sha256";

const shape =
  /^key=(brt_[0-9a-z]{12}), *t=(\d{1,12}), *nonce=([A-Za-z0-9_-]{16,64}), *body=([0-9a-f]{64}), *v1=([0-9a-f]{64})$/;

/** Null for a header that is no such thing. */
export function parseRequestSignature(authorization: string): RequestSignature | null {
  const [, prefix = "", seconds = "", nonce = "", bodyHash = "", mac = ""] =
    shape.exec(withoutScheme(authorization)) ?? [];
  return prefix === "" ? null : { prefix, seconds: Number(seconds), nonce, bodyHash, mac };
}

/** Schemes are written in either case; what follows is not. */
function withoutScheme(authorization: string): string {
  const scheme = authorization.slice(0, signatureScheme.length).toLowerCase();
  return scheme === signatureScheme ? authorization.slice(signatureScheme.length).trim() : "";
}

/** With what requests of a key are signed. It is kept nowhere: it is made again of the key's id and the server's pepper. */
export function signingSecret(keyId: string, pepper: Buffer): Secret {
  return new Secret(
    `sgn_${createHmac("sha256", pepper).update(`request signing\n${keyId}`).digest("base64url")}`,
  );
}

/** The MAC of a request: over its parts, one on each line. */
export function signRequest(
  secret: Secret,
  { method, target, org }: SignedRequest,
  { seconds, nonce, bodyHash }: Pick<RequestSignature, "seconds" | "nonce" | "bodyHash">,
): Buffer {
  const text = ["v1", method, target, org, String(seconds), nonce, bodyHash].join("\n");
  return createHmac("sha256", secret.reveal()).update(text).digest();
}

export function isSignature(expected: Buffer, mac: string): boolean {
  return timingSafeEqual(expected, Buffer.from(mac, "hex"));
}
