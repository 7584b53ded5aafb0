import { isNetwork } from "../lib/addresses.ts";
import { formatDuration, parseDuration } from "../lib/duration.ts";
import { type HostAddress, readHostAddress } from "../lib/host-address.ts";
import { list } from "./setting-kinds.ts";
import type { Setting, SettingText } from "./setting.ts";

/** Addresses and networks. */
export function networks(spec: SettingText): Setting<readonly string[]> {
  const what = "addresses or networks, such as 10.0.0.0/8";
  const setting = list({ ...spec, default: [], each: /^[0-9A-Fa-f.:/]{2,64}$/, what });
  return checked(setting, (item) => (isNetwork(item) ? item : null), what);
}

/** Origins of web pages, one by one: `https://console.example`. */
export function origins(spec: SettingText): Setting<readonly string[]> {
  const what = "origins, such as https://console.example";
  const setting = list({ ...spec, default: [], each: /^https?:\/\/[^\s*/]{1,253}\/?$/i, what });
  return checked(setting, (item) => URL.parse(item)?.origin ?? null, what);
}

/** Sandbox hosts: `https://sandbox-1.example:7430`, or with a name of its own, `a=https://10.0.0.7:7430`. */
export function hostAddresses(spec: SettingText): Setting<readonly HostAddress[]> {
  const what = "addresses such as https://sandbox-1.example:7430";
  const texts = list({ ...spec, default: [], each: /^\S{1,400}$/, what });
  return {
    ...texts,
    default: Object.freeze([]),
    read(raw, context) {
      const found = texts.read(raw, context).map((item) => {
        try {
          return readHostAddress(item);
        } catch (error) {
          const why = error instanceof Error ? error.message : "is wrong";
          throw new Error(`must be a list of ${what}; ${JSON.stringify(item)} ${why}`, { cause: error });
        }
      });
      if (new Set(found.map(({ name }) => name)).size < found.length) throw new Error("names a host twice");
      return Object.freeze(found);
    },
    show: (value) => value.map(({ name, url }) => `${name}=${url.origin}`).join(","),
  };
}

function checked(
  setting: Setting<readonly string[]>,
  read: (item: string) => string | null,
  what: string,
): Setting<readonly string[]> {
  return {
    ...setting,
    read(raw, context) {
      return Object.freeze(
        setting.read(raw, context).map((item) => {
          const value = read(item);
          if (value === null) throw new Error(`must be a list of ${what}; ${JSON.stringify(item)} is none`);
          return value;
        }),
      );
    },
  };
}

/** So many in so many milliseconds. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** `600/1m`: 600 at once, and 600 more each minute. */
export function rate(spec: SettingText & { default: Rate }): Setting<Rate> {
  const type = "rate, such as 600/1m";
  return {
    ...spec,
    type,
    secret: false,
    read(raw) {
      const [, count, per] = typeof raw === "string" ? (/^(\d{1,9})\/(\w+)$/.exec(raw.trim()) ?? []) : [];
      const found = { count: Number(count), perMs: per === undefined ? 0 : parseDuration(per) };
      if (count === undefined || found.count < 1 || found.perMs < 1_000) {
        throw new Error(`must be a ${type}, of 1 or more in 1s or longer`);
      }
      return found;
    },
    show: ({ count, perMs }) => `${count}/${formatDuration(perMs)}`,
  };
}
