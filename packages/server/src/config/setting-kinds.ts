import { isAbsolute, resolve } from "node:path";
import { formatByteSize, parseByteSize } from "../lib/byte-size.ts";
import { formatDuration, parseDuration } from "../lib/duration.ts";
import { Secret } from "../lib/secret.ts";
import type { Setting, SettingText } from "./setting.ts";

interface Range {
  readonly min: number;
  readonly max: number;
}

function inRange(value: number, { min, max }: Range, show: (value: number) => string): number {
  if (value >= min && value <= max) return value;
  throw new Error(`must be from ${show(min)} to ${show(max)}, not ${show(value)}`);
}

function textOf(raw: unknown, what: string): string {
  if (typeof raw === "string" && raw.trim() !== "") return raw.trim();
  throw new Error(`must be ${what}`);
}

export function text(
  spec: SettingText & { default: string; type?: string; pattern?: RegExp },
): Setting<string> {
  const { pattern, ...rest } = spec;
  const type = spec.type ?? "text";
  return {
    ...rest,
    type,
    secret: false,
    read(raw) {
      const value = textOf(raw, type);
      if (pattern?.test(value) === false) throw new Error(`must be ${type}, not ${JSON.stringify(value)}`);
      return value;
    },
    show: (value) => value,
  };
}

export function integer(spec: SettingText & Range & { default: number }): Setting<number> {
  const type = `integer from ${spec.min} to ${spec.max}`;
  return {
    ...spec,
    type,
    secret: false,
    read(raw) {
      const value = typeof raw === "string" && /^\d{1,15}$/.test(raw.trim()) ? Number(raw) : raw;
      if (typeof value !== "number" || !Number.isInteger(value)) throw new Error(`must be an ${type}`);
      return inRange(value, spec, String);
    },
    show: String,
  };
}

/** Milliseconds. Written with a unit in text and file alike, so that nobody has to guess it. */
export function duration(spec: SettingText & { default: string; min: string; max: string }): Setting<number> {
  const range = { min: parseDuration(spec.min), max: parseDuration(spec.max) };
  return {
    ...spec,
    default: parseDuration(spec.default),
    type: `duration from ${spec.min} to ${spec.max}`,
    secret: false,
    read: (raw) =>
      inRange(parseDuration(textOf(raw, "a duration with its unit, such as 30s")), range, formatDuration),
    show: formatDuration,
  };
}

/** Bytes. */
export function byteSize(spec: SettingText & { default: string; min: string; max: string }): Setting<number> {
  const range = { min: parseByteSize(spec.min), max: parseByteSize(spec.max) };
  return {
    ...spec,
    default: parseByteSize(spec.default),
    type: `size from ${spec.min} to ${spec.max}`,
    secret: false,
    read(raw) {
      const written = typeof raw === "number" ? String(raw) : textOf(raw, "a size, such as 64KiB");
      return inRange(parseByteSize(written), range, formatByteSize);
    },
    show: formatByteSize,
  };
}

export function boolean(spec: SettingText & { default: boolean }): Setting<boolean> {
  return {
    ...spec,
    type: "true or false",
    secret: false,
    read(raw) {
      const value = String(raw).trim().toLowerCase();
      if (value === "true" || value === "1" || value === "yes") return true;
      if (value === "false" || value === "0" || value === "no") return false;
      throw new Error("must be true or false");
    },
    show: String,
  };
}

export function oneOf<const T extends string>(
  spec: SettingText & { default: NoInfer<T>; of: readonly T[] },
): Setting<T> {
  const type = spec.of.join(" | ");
  return {
    ...spec,
    type,
    secret: false,
    read(raw) {
      const value = spec.of.find((one) => one === raw);
      if (value === undefined)
        throw new Error(`must be one of ${spec.of.join(", ")}, not ${JSON.stringify(raw)}`);
      return value;
    },
    show: (value) => value,
  };
}

/** Separated by commas in text, an array in the file. */
export function list(
  spec: SettingText & { default: readonly string[]; each: RegExp; what: string },
): Setting<readonly string[]> {
  return {
    ...spec,
    default: Object.freeze(spec.default),
    type: `list of ${spec.what}`,
    secret: false,
    read(raw) {
      const items: unknown = typeof raw === "string" ? raw.split(",").map((item) => item.trim()) : raw;
      if (!Array.isArray(items)) throw new Error(`must be a list of ${spec.what}`);
      return Object.freeze(
        items
          .filter((item) => item !== "")
          .map((item: unknown) => {
            if (typeof item === "string" && spec.each.test(item)) return item;
            throw new Error(`must be a list of ${spec.what}; ${JSON.stringify(item)} is none`);
          }),
      );
    },
    show: (value) => value.join(","),
  };
}

/** An absolute path; a relative one counts from the working directory. */
export function path(spec: SettingText & { default: string }): Setting<string> {
  return {
    ...spec,
    type: "path",
    secret: false,
    read(raw, { cwd }) {
      const written = textOf(raw, "a path");
      return isAbsolute(written) ? written : resolve(cwd, written);
    },
    show: (value) => value,
  };
}

/** An http(s) address without a slash at its end. `complete` may make one of what people write shorter. */
export function url(
  spec: SettingText & { default: string; complete?: (text: string) => string },
): Setting<string> {
  return {
    ...spec,
    type: "http(s) address",
    secret: false,
    read(raw) {
      const written = textOf(raw, "an http(s) address");
      const address = URL.parse(spec.complete?.(written) ?? written);
      if (address === null || !/^https?:$/.test(address.protocol))
        throw new Error("must be an http(s) address");
      if (address.username !== "" || address.password !== "") {
        throw new Error("must not hold a user name or password: they would be seen in logs");
      }
      return address.href.replace(/\/+$/, "");
    },
    show: (value) => value,
  };
}

/** Never echoes what it was given, also not when that is wrong. */
export function secret(spec: SettingText & { pattern?: RegExp; type?: string }): Setting<Secret | null> {
  const type = spec.type ?? "secret";
  return {
    ...spec,
    type,
    default: null,
    secret: true,
    read(raw) {
      const value = textOf(raw, type);
      if (!(spec.pattern ?? /^[\u0021-\u007e]+$/).test(value)) throw new Error(`must be ${type}`);
      return new Secret(value);
    },
    show: () => "",
  };
}
