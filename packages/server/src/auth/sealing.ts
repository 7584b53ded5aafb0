import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { BerthError } from "../lib/errors.ts";

// AES-256-GCM with a random 96-bit nonce: format byte, nonce, ciphertext, tag.

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;

/** A key of 32 random bytes. */
export function newKey(): Buffer {
  return randomBytes(32);
}

/** Seals bytes under a 32-byte key. `bound` names the place that they belong to: nowhere else can they be opened. */
export function sealBytes(key: Buffer, plain: Uint8Array, bound: readonly string[]): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(placeOf(bound));
  const sealed = [cipher.update(plain), cipher.final()];
  return Buffer.concat([Buffer.of(format), nonce, ...sealed, cipher.getAuthTag()]);
}

/** Throws `secret_unreadable` when the key or the place is another, or a byte was changed. */
export function openBytes(key: Buffer, sealed: Uint8Array, bound: readonly string[]): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== format) throw unreadable();
  const end = bytes.length - tagBytes;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(1, 1 + nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(placeOf(bound));
  decipher.setAuthTag(bytes.subarray(end));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes, end)), decipher.final()]);
  } catch {
    throw unreadable();
  }
}

/** Always the same sentence: how it failed tells nobody anything. */
export function unreadable(): BerthError {
  return new BerthError(
    "secret_unreadable",
    "A stored secret cannot be opened: give it again, or restore the store from a backup.",
  );
}

/** As JSON, in which no list of names looks like another. */
function placeOf(bound: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(bound));
}
