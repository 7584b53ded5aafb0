import { newKeyPair } from "../sandbox/protocol/keys.ts";

/** A new pair of keys between servers and their sandbox hosts, as PEM. */
export function newHostKeys(): { readonly publicKey: string; readonly privateKey: string } {
  return newKeyPair();
}
