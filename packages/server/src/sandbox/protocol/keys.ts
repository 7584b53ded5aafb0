import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import { BerthError } from "../../lib/errors.ts";
import type { tokenAlgorithms } from "./token.ts";

/** A key of tokens for sandbox hosts. */
export interface TokenKey {
  readonly key: KeyObject;
  readonly algorithm: (typeof tokenAlgorithms)[number];
  /** By which a token names it: its thumbprint (RFC 7638). */
  readonly id: string;
}

/** Reads a public key as PEM or JWK. Throws `key_invalid`, which never quotes it. */
export async function readPublicKey(text: string): Promise<TokenKey> {
  if (text.includes("PRIVATE KEY") || jwkOf(text)?.["d"] !== undefined) {
    throw invalid("a sandbox host is given the public key, and this one is private: keep it on the server");
  }
  return await tokenKey(text, createPublicKey);
}

/** Reads a private key as PEM or JWK. Throws `key_invalid`, which never quotes it. */
export async function readPrivateKey(text: string): Promise<TokenKey> {
  return await tokenKey(text, createPrivateKey);
}

/** A new pair as PEM, of Ed25519. */
export function newKeyPair(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

async function tokenKey(
  text: string,
  read: typeof createPublicKey | typeof createPrivateKey,
): Promise<TokenKey> {
  const jwk = jwkOf(text);
  let key: KeyObject;
  try {
    key = jwk === null ? read(text) : read({ key: jwk, format: "jwk" });
  } catch {
    throw invalid("it is neither PEM nor a JWK");
  }
  return { key, algorithm: algorithmOf(key), id: await calculateJwkThumbprint(key) };
}

function algorithmOf(key: KeyObject): TokenKey["algorithm"] {
  if (key.asymmetricKeyType === "ed25519") return "EdDSA";
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") return "ES256";
  throw invalid("only Ed25519 and P-256 keys are taken");
}

function jwkOf(text: string): Record<string, string> | null {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    throw invalid("it is no JSON");
  }
}

function invalid(why: string): BerthError {
  return new BerthError(
    "key_invalid",
    `The key cannot be used: ${why}. Make a pair with: ./berth sandbox-host keys`,
  );
}
