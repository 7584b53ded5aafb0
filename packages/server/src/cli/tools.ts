import { Command } from "commander";
import type { Actions } from "./context.ts";

export function toolsCommand(actions: Actions): Command {
  const command = new Command("tools")
    .description("List the tools that agents can be given.")
    .addHelpText("after", "\nExamples:\n  ./berth tools\n  ./berth tools --json");
  return actions.bind(command, async ({ client, printList, signal }) => {
    const { items } = await (await client()).tools.list({ signal });
    printList(
      items,
      {
        TOOL: ({ name }) => name,
        EFFECT: ({ effect }) => effect,
        "WHAT IT DOES": ({ description }) => description,
      },
      "This server has no tools.",
    );
  });
}
