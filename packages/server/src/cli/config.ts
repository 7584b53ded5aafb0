import { Command } from "commander";
import { configurationPage } from "../config/docs.ts";
import { configOf } from "./connection.ts";
import type { Actions } from "./context.ts";

export function configCommand(actions: Actions): Command {
  const config = new Command("config").description("What can be set, and what is.").addHelpText(
    "after",
    `
Examples:
  ./berth config docs > docs/reference/configuration.md
  ./berth config check --data /var/lib/berth
  ./berth config show`,
  );
  const docs = config.command("docs").description("Print the reference page of every setting, as Markdown.");
  actions.bind(docs, async ({ print }) => {
    const page = configurationPage();
    print({ page }, page);
  });
  const check = config
    .command("check")
    .description("Say whether a server would start with the configuration.");
  actions.bind(check, async ({ flags, io, print }) => {
    const { file, settings } = configOf(flags, io.env);
    const set = settings.filter(({ source }) => source !== "default").length;
    const where = file === null ? "no configuration file" : file;
    print(
      { ok: true, file, set },
      `The configuration is valid: ${set} settings differ from their default, ${where}.\n`,
    );
  });
  const show = config
    .command("show")
    .description("Show every setting with its value and where it comes from.");
  actions.bind(show, async ({ flags, io, printList }) => {
    const columns = {
      SETTING: ({ name }: Shown) => name,
      FROM: ({ source }: Shown) => source,
      VALUE: ({ value }: Shown) => value,
    };
    printList<Shown>(configOf(flags, io.env).settings, columns, "Nothing can be set.");
  });
  return config;
}

interface Shown {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}
