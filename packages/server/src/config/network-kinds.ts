import { isNetwork } from "../lib/addresses.ts";
import { formatDuration, parseDuration } from "../lib/duration.ts";
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
