import { crc32, inflateRawSync } from "node:zlib";

/** The entries of a ZIP archive with 64-bit sizes, in order, each checked by its CRC. Read from the list at the end, as tools do. */
export function unzip(archive: Buffer): Map<string, Buffer> {
  const locator = archive.byteLength - 22 - 20;
  if (archive.readUInt32LE(locator) !== 0x0706_4b50) throw new Error("this is no archive with 64-bit sizes");
  const end = Number(archive.readBigUInt64LE(locator + 8));
  const count = Number(archive.readBigUInt64LE(end + 32));
  const entries = new Map<string, Buffer>();
  let at = Number(archive.readBigUInt64LE(end + 48));
  for (let index = 0; index < count; index++) {
    if (archive.readUInt32LE(at) !== 0x0201_4b50) throw new Error(`entry ${index} is not where it should be`);
    const [nameLength, extraLength] = [archive.readUInt16LE(at + 28), archive.readUInt16LE(at + 30)];
    const name = archive.subarray(at + 46, at + 46 + nameLength).toString();
    const extra = at + 46 + nameLength + 4;
    const [size, packed, local] = [0, 8, 16].map((offset) => Number(archive.readBigUInt64LE(extra + offset)));
    const head = local ?? 0;
    const start = head + 30 + archive.readUInt16LE(head + 26) + archive.readUInt16LE(head + 28);
    const content = inflateRawSync(archive.subarray(start, start + (packed ?? 0)));
    if (content.byteLength !== size || crc32(content) !== archive.readUInt32LE(at + 16))
      throw new Error(`${name} is not what was put in`);
    entries.set(name, content);
    at += 46 + nameLength + extraLength;
  }
  return entries;
}
