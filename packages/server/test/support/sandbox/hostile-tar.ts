/** An entry as nobody should write it. */
export interface RawEntry {
  readonly name: string;
  /** Default: a file. */
  readonly type?: string;
  readonly link?: string;
  readonly data?: Uint8Array | string;
  /** What the header says, if that is not what it has. */
  readonly size?: number;
}

/** A tar archive of these entries, whatever is in them. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const data = Buffer.from(entry.data ?? "");
    return [rawHeader(entry, data.length), data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1_024)]);
}

function rawHeader({ name, type = "0", link = "", size }: RawEntry, length: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "utf8");
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(size ?? length).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(type, 156);
  header.write(link, 157, 100, "utf8");
  header.write("ustar", 257);
  header.write("00", 263);
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
