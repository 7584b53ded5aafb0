import type { SpFragment } from "@berth/client";
import { Command } from "commander";
import type { Actions } from "../context.ts";
import { CliError, exit } from "../exit.ts";
import { oneLine } from "../terminal/safe-text.ts";

const examples = `
A fragment is told to the agent in each of your own sessions, after the agent's instructions, from the next run on.

Examples:
  ./berth user-config fragment add "Answer in French." --label language
  ./berth user-config fragment off frg_…`;

/** What is added to the system prompt of one's sessions. */
export function fragmentCommand(actions: Actions): Command {
  const fragment = new Command("fragment")
    .description("Show and change what is added to the system prompt of your sessions.")
    .addHelpText("after", examples);
  const list = fragment.command("list").description("List them.");
  actions.bind(list, async ({ client, printList, signal }) => {
    const { customSpFragments } = await (await client()).userConfig.ensure({ signal });
    printList(customSpFragments, columns, "There are none.");
  });
  const add = fragment
    .command("add <text>")
    .description("Add one.")
    .option("--label <text>", "what you call it");
  actions.bind<{ label?: string }>(add, async ({ client, args, flags, print }) => {
    const [content = ""] = args;
    const label = flags.label === undefined ? {} : { label: flags.label };
    const { customSpFragments } = await (await client()).userConfig.addSpFragment({ content, ...label });
    const added = customSpFragments.at(-1);
    print(added, `Added as ${added?.id}. It counts from the next run on.\n`);
  });
  const remove = fragment.command("remove <id>").description("Remove one.");
  actions.bind(remove, async ({ client, args, print }) => {
    const [id = ""] = args;
    await (await client()).userConfig.removeSpFragment(id);
    print({ removed: id }, `${id} is gone.\n`);
  });
  for (const enabled of [true, false]) {
    const verb = enabled ? "on" : "off";
    const toggle = fragment
      .command(`${verb} <id>`)
      .description(enabled ? "Use one again." : "Keep one without using it.");
    actions.bind(toggle, async (context) => {
      const [id = ""] = context.args;
      const client = await context.client();
      const { customSpFragments, version } = await client.userConfig.ensure();
      if (!customSpFragments.some((one) => one.id === id))
        throw new CliError(`You have no fragment ${id}: ./berth user-config fragment list`, exit.failed);
      const changed = customSpFragments.map(({ id: own, label, content, enabled: before }) => {
        return { id: own, label, content, enabled: own === id ? enabled : before };
      });
      await client.userConfig.put({ customSpFragments: changed }, { ifVersion: version });
      context.print({ id, enabled }, `${id} is ${verb}.\n`);
    });
  }
  return fragment;
}

const columns = {
  ID: ({ id }: SpFragment) => id,
  "": ({ enabled }: SpFragment) => (enabled ? "on" : "off"),
  LABEL: ({ label }: SpFragment) => oneLine(label, 40),
  TEXT: ({ content }: SpFragment) => oneLine(content, 80),
};
