/**
 * A path whose names were read as `latin1`, which has a character for each byte: in Linux a name is any bytes, and one that is not valid
 * UTF-8 would be found by no text.
 */
export function bytesOfPath(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** A name that was read as `latin1` as text; null for one that is not valid UTF-8. */
export function textOfName(name: string): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOfPath(name));
  } catch {
    return null;
  }
}
