const signed = "anthropic:";
const redacted = "anthropic-redacted:";

/** Signatures carry whose they are: a conversation can go on with another provider, which would refuse them. */
export function thinkingSignature(value: string): string {
  return signed + value;
}

export function redactedSignature(data: string): string {
  return redacted + data;
}

/** Null for a signature of another provider, or none. */
export function readSignature(
  signature: string | undefined,
): { readonly redacted: boolean; readonly value: string } | null {
  if (signature === undefined) return null;
  if (signature.startsWith(signed)) return { redacted: false, value: signature.slice(signed.length) };
  if (signature.startsWith(redacted)) return { redacted: true, value: signature.slice(redacted.length) };
  return null;
}
