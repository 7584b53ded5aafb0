import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configurationPage } from "./docs.ts";
import { envName, flagName, settingFlags, settingGroups, settingNames, settingOf } from "./schema.ts";

const page = configurationPage();

describe("the reference page", () => {
  it("is the committed one; make it anew with ./berth config docs", () => {
    const file = join(import.meta.dirname, "../../../../docs/reference/configuration.md");
    expect(readFileSync(file, "utf8")).toBe(page);
  });

  it("describes every setting that is not hidden, with its variable and its flag", () => {
    for (const name of settingNames) {
      const shown = settingOf(name).hidden !== true;
      expect(page.includes(`### \`${name}\``)).toBe(shown);
      expect(page.includes(`\`${envName(name)}\``)).toBe(shown);
      expect(page.includes(`flag \`${flagName(name)}\``)).toBe(flagName(name) !== null);
    }
  });
});

describe("the table of settings", () => {
  it("has every setting that is not hidden in one group", () => {
    const grouped = settingGroups.flatMap(({ names }) => names);
    expect(new Set(grouped).size).toBe(grouped.length);
    expect(new Set(grouped)).toEqual(new Set(settingNames.filter((name) => settingOf(name).hidden !== true)));
  });

  it("has no variable twice", () => {
    expect(new Set(settingNames.map(envName)).size).toBe(settingNames.length);
  });

  it("gives no flag to what must not be seen on a command line", () => {
    const flags = settingFlags();
    expect(flags.find(({ name }) => name === "logLevel")).toEqual({
      name: "logLevel",
      flag: "--log-level <value>",
      help: "The least important lines that are written. Default: info",
    });
    const without = settingNames.filter((name) => !flags.some((flag) => flag.name === name));
    expect(without).toEqual(
      [...settingNames].filter(
        (name) => settingOf(name).secret || settingOf(name).hasFlag === false || name === "failpoint",
      ),
    );
  });

  it("has defaults that its own settings accept", () => {
    for (const name of settingNames) {
      const setting = settingOf(name);
      if (setting.default === null || setting.secret || name === "providers") continue;
      const read = setting.read(setting.show(setting.default) || [], { env: {}, cwd: "/" });
      expect(setting.show(read)).toBe(name === "data" ? "/berth-data" : setting.show(setting.default));
    }
  });

  it("names its sentences as sentences", () => {
    for (const name of settingNames) expect(settingOf(name).help).toMatch(/^[A-Z`].*[.]$/);
  });
});
