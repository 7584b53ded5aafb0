import { envName, flagName, settingGroups, type SettingName, settingOf } from "./schema.ts";

const intro = `# Configuration

<!-- Made by \`./berth config docs\` from packages/server/src/config. Change it there. -->

A setting comes from the first of these that has it: its flag, its environment variable, the configuration file, its default.
The configuration file is JSON with the settings' names as keys: \`berth.config.json\` in the data folder, or the file that
\`--config\` names. What is not known there, and a variable that begins with \`BERTH_\` and is not known, stops the start.
\`./berth config show\` shows every setting with its value and where it came from.

Durations need a unit: \`250ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`2d\`. Sizes are written as \`64KiB\`, \`512MiB\` or a number of
bytes. Lists are separated by commas, in the file they are arrays. Secrets have no flag, because every process of a machine sees
the command lines of the others; a configuration file that holds one must be readable by its owner alone.
`;

/** The reference page of the configuration, as Markdown. */
export function configurationPage(): string {
  const groups = settingGroups.map(({ title, names }) => `\n## ${title}\n${names.map(section).join("")}`);
  return intro + groups.join("");
}

function section(name: SettingName): string {
  const setting = settingOf(name);
  const flag = flagName(name);
  const shown = setting.default === null || setting.secret ? "" : setting.show(setting.default);
  const facts = [
    `variable \`${envName(name)}\``,
    flag === null ? "no flag" : `flag \`${flag}\``,
    ...(setting.inFile === false ? ["not in the file"] : []),
    setting.type,
    shown === "" ? "not set by default" : `default \`${shown}\``,
  ];
  return `\n### \`${name}\`\n${setting.help}\n\n${facts.join(" · ")}\n`;
}
