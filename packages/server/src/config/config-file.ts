import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nearestWord } from "../lib/nearest-word.ts";
import type { ConfigProblem } from "./problem.ts";
import { type SettingName, settingNames, settingOf } from "./schema.ts";

export interface ConfigFile {
  readonly path: string | null;
  readonly values: Readonly<Record<string, unknown>>;
}

export const noFile: ConfigFile = { path: null, values: {} };

/** The file that was named, else the one in the data folder. */
export function configFilePath(dataFolder: string, named: string | null): string {
  return named ?? join(dataFolder, "berth.config.json");
}

/** Reads a configuration file and adds what is wrong with it as a whole to `problems`; its values are read elsewhere. */
export function readConfigFile(
  path: string,
  { required, problems }: { required: boolean; problems: ConfigProblem[] },
): ConfigFile {
  const opened = open(path, required, problems);
  if (opened === null) return noFile;
  const values = parse(opened.text);
  if (typeof values === "string") {
    problems.push({ where: path, detail: values });
    return noFile;
  }
  for (const name of Object.keys(values)) {
    const detail = wrongName(name, required);
    if (detail !== null) problems.push({ where: `${name} in ${path}`, detail });
  }
  if (opened.seenByOthers && holdsSecrets(values)) {
    problems.push({ where: path, detail: `holds secrets and other users may read it: chmod 600 ${path}` });
  }
  return { path, values };
}

function open(path: string, required: boolean, problems: ConfigProblem[]) {
  try {
    const file = openSync(path, "r");
    try {
      return { text: readFileSync(file, "utf8"), seenByOthers: (fstatSync(file).mode & 0o077) !== 0 };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!required && (code === "ENOENT" || code === "ENOTDIR")) return null;
    problems.push({
      where: path,
      detail: `cannot be read (${code}): check that the file exists and that you may read it`,
    });
    return null;
  }
}

/** The object, or what is wrong. JSON.parse's own message quotes the text, so only its place is taken from it. */
function parse(text: string): Readonly<Record<string, unknown>> | string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
    return "must hold one JSON object";
  } catch (error) {
    const place = error instanceof Error ? /line \d+ column \d+/.exec(error.message)?.[0] : undefined;
    return place === undefined ? "is not valid JSON" : `is not valid JSON at ${place}`;
  }
}

const fileNames = settingNames.filter(
  (name) => settingOf(name).inFile !== false && settingOf(name).hidden !== true,
);

/** Null when a name may stand in the file. The file in the data folder cannot say where the data folder is. */
function wrongName(name: string, wasNamed: boolean): string | null {
  if (name === "data" && !wasNamed)
    return "cannot stand in a file of the data folder itself: use --data or BERTH_DATA";
  if (fileNames.some((known) => known === name)) return null;
  const meant = nearestWord(name, fileNames);
  return meant === null ? "is no setting" : `is no setting; did you mean ${meant}?`;
}

function holdsSecrets(values: Readonly<Record<string, unknown>>): boolean {
  const secretNames = settingNames.filter((name: SettingName) => settingOf(name).secret);
  return (
    secretNames.some((name) => Object.hasOwn(values, name)) ||
    /"(apiKey|headers)":/.test(JSON.stringify(values["providers"] ?? null))
  );
}
