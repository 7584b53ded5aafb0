import type { Setting, SettingValue } from "./setting.ts";
import { dataSettings } from "./settings/data.ts";
import { authenticationSettings } from "./settings/authentication.ts";
import { modelSettings } from "./settings/models.ts";
import { limitSettings, networkSettings, rateSettings } from "./settings/network.ts";
import { quotaSettings } from "./settings/quotas.ts";
import { clientSettings, logSettings, serverSettings } from "./settings/server.ts";
import { sandboxSettings } from "./settings/sandboxes.ts";
import { runSettings, workerSettings } from "./settings/sessions.ts";
import { secretSettings } from "./settings/security.ts";
import { testingSettings } from "./settings/testing.ts";

/**
 * Every setting, once. From here come the environment names, the flags, the keys of the configuration file, the help, the
 * reference page and the type of the configuration. Durations are milliseconds, sizes are bytes.
 */
export const settings = {
  ...serverSettings,
  ...networkSettings,
  ...limitSettings,
  ...rateSettings,
  ...quotaSettings,
  ...logSettings,
  ...workerSettings,
  ...runSettings,
  ...sandboxSettings,
  ...modelSettings,
  ...clientSettings,
  ...secretSettings,
  ...authenticationSettings,
  ...dataSettings,
  ...testingSettings,
} as const;

export type SettingName = keyof typeof settings;

/** What the program runs with; frozen. `null` means: not set. */
export type Config = { readonly [Name in SettingName]: SettingValue<(typeof settings)[Name]> };

/** The groups, in the order in which people read them. */
export const settingGroups: readonly { title: string; names: readonly SettingName[] }[] = [
  { title: "Server", names: namesOf(serverSettings) },
  { title: "Network", names: namesOf(networkSettings) },
  { title: "Limits of connections and requests", names: namesOf(limitSettings) },
  { title: "Rate limits", names: namesOf(rateSettings) },
  { title: "Quotas", names: namesOf(quotaSettings) },
  { title: "Logging", names: namesOf(logSettings) },
  { title: "Sessions and workers", names: namesOf(workerSettings) },
  { title: "Runs and tools", names: namesOf(runSettings) },
  { title: "Sandboxes", names: namesOf(sandboxSettings) },
  { title: "Models", names: namesOf(modelSettings) },
  { title: "Server keys", names: namesOf(secretSettings) },
  { title: "Authentication", names: namesOf(authenticationSettings) },
  { title: "Backups", names: namesOf(dataSettings) },
  { title: "Command line", names: namesOf(clientSettings) },
];

export const settingNames: readonly SettingName[] = namesOf(settings);

function namesOf<Name extends string>(group: Readonly<Record<Name, unknown>>): readonly Name[] {
  return Object.keys(group) as Name[];
}

/** A setting without its value's type, for code that treats all of them alike. */
export function settingOf(name: SettingName): Setting<unknown> {
  return settings[name];
}

/** The environment variable of a setting. */
export function envName(name: SettingName): string {
  return settingOf(name).env ?? `BERTH_${name.replace(/(?=[A-Z])/g, "_").toUpperCase()}`;
}

/** The flag of a setting, `--log-level`; null when it has none: a command line is seen by every process of the machine. */
export function flagName(name: SettingName): string | null {
  const { secret, hidden, hasFlag } = settingOf(name);
  if (secret || hidden === true || hasFlag === false) return null;
  return `--${name.replace(/(?=[A-Z])/g, "-").toLowerCase()}`;
}

export interface FlagSpec {
  readonly name: SettingName;
  /** `--log-level <value>`: an option parser turns it into the setting's name again. */
  readonly flag: string;
  readonly help: string;
}

/** The flags of every setting that has one, for an option parser. Their values stay text: `loadConfig` reads them. */
export function settingFlags(): readonly FlagSpec[] {
  return settingNames.flatMap((name) => {
    const flag = flagName(name);
    if (flag === null) return [];
    const { help, default: value } = settingOf(name);
    const shown = value === null ? "" : settingOf(name).show(value);
    return [{ name, flag: `${flag} <value>`, help: shown === "" ? help : `${help} Default: ${shown}` }];
  });
}
