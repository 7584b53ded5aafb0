import { BerthError } from "../../lib/errors.ts";

export const blockBytes = 512;

/** Magic and version. */
const ustar = ["ustar", "00"].join("\0");

export type TarKind =
  | "file"
  | "directory"
  /** Says a target of its own. */
  | "link"
  /** One more name of a file of the archive. */
  | "hard_link"
  | "special"
  | "path"
  | "target"
  | "attributes"
  | "ignored";

/** One block of an archive, as POSIX calls it ustar. */
export interface TarHeader {
  readonly path: string;
  readonly kind: TarKind;
  readonly size: number;
  /** Of a link. */
  readonly target: string;
  readonly executable: boolean;
}

/** The largest size that a header has room for, 11 digits: 8 GiB less one byte. What is larger is said before it. */
const mostOctal = 8 * 1024 ** 3 - 1;

const kinds: Readonly<Record<string, TarKind>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hard_link",
  "2": "link",
  "3": "special",
  "4": "special",
  "5": "directory",
  "6": "special",
  // Of the next entry: its path and what a link says as GNU tar tells long ones, and attributes as pax does.
  L: "path",
  K: "target",
  x: "attributes",
  g: "ignored",
};

const noArchive = "it is no tar archive, or damaged";

/** Throws `archive_invalid` for a block that is no header. */
export function readHeader(header: Uint8Array): TarHeader {
  if (
    header.subarray(148, 156).every((byte) => byte === 0) ||
    sumOf(header) !== octal(header, 148, 8, noArchive)
  )
    throw invalidArchive(noArchive);
  const kind = kinds[String.fromCharCode(header[156] ?? 0)];
  if (kind === undefined) throw invalidArchive("it has an entry of a kind that is not known");
  const prefix = isUstar(header) ? textOf(header, 345, 155) : "";
  const name = textOf(header, 0, 100);
  const path = prefix === "" ? name : `${prefix}/${name}`;
  const hasBytes = kind !== "directory" && kind !== "link" && kind !== "hard_link" && kind !== "special";
  const target = kind === "link" ? textOf(header, 157, 100) : "";
  const executable = kind === "file" && (octal(header, 100, 8) & 0o100) !== 0;
  return { path, kind, size: hasBytes ? sizeOf(header) : 0, target, executable };
}

/** A header, and before it what does not fit into one. Times are milliseconds since 1970. */
export function writeHeader(entry: {
  readonly path: string;
  readonly kind: "file" | "directory" | "link";
  readonly size: number;
  readonly modifiedMs: number;
  readonly executable?: boolean;
  /** Of a link. */
  readonly target?: string;
}): Uint8Array {
  const path = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const time = Math.max(0, Math.floor(entry.modifiedMs / 1000));
  const kind = { file: "0", link: "2", directory: "5" }[entry.kind];
  const mode = { file: entry.executable === true ? 0o755 : 0o644, link: 0o777, directory: 0o755 }[entry.kind];
  const { size, target = "" } = entry;
  const fits = (text: string) => Buffer.byteLength(text) <= 100 && /^[\x20-\x7e]*$/.test(text);
  const isLarge = size > mostOctal;
  const own = block({
    path: fits(path) ? path : "long",
    target: fits(target) ? target : "long",
    kind,
    mode,
    // Who reads pax passes over it.
    size: isLarge ? 0 : size,
    time,
  });
  const records = [
    ...(fits(path) ? [] : [paxRecord("path", path)]),
    ...(fits(target) ? [] : [paxRecord("linkpath", target)]),
    ...(isLarge ? [paxRecord("size", String(size))] : []),
  ];
  if (records.length === 0) return own;
  const attributes = Buffer.from(records.join(""));
  const about = { path: "attributes", target: "", kind: "x", mode: 0o644, size: attributes.length, time };
  const before = block(about);
  return Buffer.concat([before, padded(attributes), own]);
}

/** What was said of the next entry before it. */
export interface TarAbout {
  readonly path?: string;
  readonly size?: number;
  readonly target?: string;
}

/** Fills up to whole blocks. */
export function padded(data: Uint8Array): Uint8Array {
  const rest = data.length % blockBytes;
  return rest === 0 ? data : Buffer.concat([data, Buffer.alloc(blockBytes - rest)]);
}

/** What pax says about the next entry: `<length> <name>=<value>` lines. Throws `archive_invalid`. */
export function readAttributes(data: Uint8Array): TarAbout {
  const found: { path?: string; size?: number; target?: string } = {};
  for (let at = 0; at < data.length;) {
    const blank = data.indexOf(0x20, at);
    const length = Number(Buffer.from(data.subarray(at, blank)).toString("latin1"));
    if (blank === -1 || !Number.isInteger(length) || length <= blank - at || at + length > data.length)
      throw invalidArchive("the attributes of an entry are damaged");
    const [name = "", ...value] = decode(data.subarray(blank + 1, at + length - 1)).split("=");
    if (name === "path") found.path = value.join("=");
    if (name === "linkpath") found.target = value.join("=");
    if (name === "size") found.size = wholeNumber(value.join("="));
    at += length;
  }
  return found;
}

export function invalidArchive(why: string): BerthError {
  return new BerthError("archive_invalid", `This archive cannot be taken: ${why}.`);
}

/** Text of an archive; throws `archive_invalid` for what is none. */
export function decode(data: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw invalidArchive("a name in it is not valid Unicode");
  }
}

function block(header: {
  readonly path: string;
  readonly target: string;
  readonly kind: string;
  readonly mode: number;
  readonly size: number;
  readonly time: number;
}): Buffer {
  const made = Buffer.alloc(blockBytes);
  const put = (value: number, at: number, length: number) =>
    made.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  made.write(header.path, 0, "utf8");
  put(header.mode, 100, 8);
  put(0, 108, 8);
  put(0, 116, 8);
  put(header.size, 124, 12);
  put(header.time, 136, 12);
  made.write(header.kind, 156, "latin1");
  made.write(header.target, 157, "utf8");
  made.write(ustar, 257, "latin1");
  made.write(`${sumOf(made).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return made;
}

function paxRecord(name: string, value: string): string {
  const rest = Buffer.byteLength(` ${name}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${name}=${value}\n`;
}

/** Of all bytes, with blanks in the place of the sum itself. */
function sumOf(header: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += header[at] ?? 0;
  return sum;
}

function isUstar(header: Uint8Array): boolean {
  // GNU tar's own format (`ustar  `) keeps other things where POSIX has the prefix.
  return Buffer.from(header.subarray(257, 263)).toString("latin1") === "ustar\0";
}

function textOf(header: Uint8Array, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return decode(end === -1 ? field : field.subarray(0, end));
}

/** Octal, or binary where the first bit is set. */
function sizeOf(header: Uint8Array): number {
  if (((header[124] ?? 0) & 0x80) === 0) return octal(header, 124, 12);
  let size = (header[124] ?? 0) & 0x7f;
  for (let at = 125; at < 136; at++) size = size * 256 + (header[at] ?? 0);
  if (!Number.isSafeInteger(size)) throw invalidArchive("a size in it is no size");
  return size;
}

function octal(header: Uint8Array, at: number, length: number, otherwise = "a number in it is no number") {
  const text = Buffer.from(header.subarray(at, at + length))
    .toString("latin1")
    .replaceAll(/[\0 ]+/g, "");
  if (!/^[0-7]*$/.test(text)) throw invalidArchive(otherwise);
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw invalidArchive("a size in it is no size");
  return Number(text);
}
