import { nearestWord } from "../lib/nearest-word.ts";
import { configFilePath, type ConfigFile, noFile, readConfigFile } from "./config-file.ts";
import { type ConfigProblem, invalidConfig } from "./problem.ts";
import { type Config, envName, flagName, type SettingName, settingNames, settingOf } from "./schema.ts";
import { secretsOf } from "./secrets.ts";
import type { ReadContext } from "./setting.ts";

export type Source = "default" | "file" | "env" | "flag";

/** One setting as people see it. */
export interface SettingReport {
  readonly name: SettingName;
  /** Secrets are `set` or `not set`. */
  readonly value: string;
  readonly source: Source;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly settings: readonly SettingReport[];
  /** The configuration file that was read. */
  readonly file: string | null;
  /** The variables that `sandboxEnv` names and this process has. */
  readonly sandboxVariables: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** By setting name, as an option parser gives them; other members and undefined are passed over. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/**
 * The configuration: a flag goes before the environment, that before the file, that before the default. The only reader
 * of the environment. Throws `invalid_config`, with everything that is wrong at once; no problem quotes a secret.
 */
export function loadConfig({
  flags = {},
  env = process.env,
  cwd = process.cwd(),
}: LoadOptions = {}): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const context: ReadContext = { env, cwd };
  const fromOutside = (name: SettingName, file: ConfigFile = noFile) => choose(name, { flags, env, file });

  const folder = attempt(fromOutside("data"), context, []) as string;
  const chosen = attempt(fromOutside("config"), context, []) as string | null;
  const file = readConfigFile(configFilePath(folder, chosen), { required: chosen !== null, problems });

  const values: Record<string, unknown> = {};
  const reports: SettingReport[] = [];
  for (const name of settingNames) {
    const choice = fromOutside(name, file);
    const value = attempt(choice, context, problems);
    values[name] = value;
    if (settingOf(name).hidden !== true || choice.source !== "default") reports.push(report(choice, value));
  }
  const config = Object.freeze(values) as Config;
  problems.push(...unknownVariables(env), ...leakedVariables(config, env));
  if (problems.length > 0) throw invalidConfig(problems);
  return { config, settings: reports, file: file.path, sandboxVariables: pick(env, config.sandboxEnv) };
}

interface Choice {
  readonly name: SettingName;
  readonly source: Source;
  readonly where: string;
  readonly raw: unknown;
}

interface Sources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: ReadContext["env"];
  readonly file: ConfigFile;
}

/** An empty variable is none: that is how a compose file leaves one out. */
function choose(name: SettingName, { flags, env, file }: Sources): Choice {
  const flag = flagName(name);
  const variable = envName(name);
  if (flag !== null && flags[name] !== undefined)
    return { name, source: "flag", where: flag, raw: flags[name] };
  if (env[variable]) return { name, source: "env", where: variable, raw: env[variable] };
  if (Object.hasOwn(file.values, name)) {
    return { name, source: "file", where: `${name} in ${file.path}`, raw: file.values[name] };
  }
  return { name, source: "default", where: name, raw: undefined };
}

function attempt(choice: Choice, context: ReadContext, problems: ConfigProblem[]): unknown {
  const setting = settingOf(choice.name);
  // A default path is relative too, so defaults that are texts are read like any other.
  const { default: value } = setting;
  const raw = choice.source === "default" ? value : choice.raw;
  if (choice.source === "default" && typeof value !== "string") return value;
  try {
    return setting.read(raw, context);
  } catch (error) {
    problems.push({ where: choice.where, detail: error instanceof Error ? error.message : String(error) });
    return value;
  }
}

function report({ name, source }: Choice, value: unknown): SettingReport {
  const setting = settingOf(name);
  const shown = value === null ? "" : setting.secret ? "set" : setting.show(value);
  return { name, value: shown || "not set", source };
}

function unknownVariables(env: ReadContext["env"]): ConfigProblem[] {
  const known = settingNames.map(envName);
  return Object.keys(env)
    .filter((variable) => variable.startsWith("BERTH_") && !known.includes(variable))
    .map((where) => {
      const meant = nearestWord(where, known);
      return { where, detail: meant === null ? "is no setting" : `is no setting; did you mean ${meant}?` };
    });
}

/** Commands of agents must not see the server's own secrets, whatever the configuration says. */
function leakedVariables(config: Config, env: ReadContext["env"]): ConfigProblem[] {
  const names = new Set(settingNames.filter((name) => settingOf(name).secret).map(envName));
  const values = new Set(secretsOf(config).map((secret) => secret.reveal()));
  const isSecret = (variable: string) => names.has(variable) || values.has(env[variable] ?? "");
  const leaked = config.sandboxEnv.filter((name) => isSecret(name) || name.startsWith("BERTH_"));
  return leaked.map((variable) => ({
    where: "sandboxEnv",
    detail: `names ${variable}, which commands of agents must not see: take it out`,
  }));
}

function pick(env: ReadContext["env"], names: readonly string[]): Readonly<Record<string, string>> {
  return Object.freeze(
    Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]))),
  );
}
