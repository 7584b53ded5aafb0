import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** Keeps a text with somebody who can neither read nor change it: what a login at another place begins with. */
export interface SealedText {
  seal(text: string): string;
  /** Null for what was not sealed here, or was changed. */
  open(sealed: string): string | null;
}

const nonceBytes = 12;
const tagBytes = 16;
const longest = 4_096;

/** AES-256-GCM under a key that is made of the server's for this purpose alone. */
export function createSealedText(secret: Buffer, purpose: string): SealedText {
  const key = Buffer.from(hkdfSync("sha256", secret, "berth", `sealed text: ${purpose}`, 32));
  return {
    seal(text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    open(sealed) {
      if (sealed.length > longest || !/^[A-Za-z0-9_-]+$/.test(sealed)) return null;
      const bytes = Buffer.from(sealed, "base64url");
      if (bytes.length < nonceBytes + tagBytes) return null;
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes));
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        const text = decipher.update(bytes.subarray(nonceBytes + tagBytes));
        return Buffer.concat([text, decipher.final()]).toString("utf8");
      } catch {
        return null;
      }
    },
  };
}
