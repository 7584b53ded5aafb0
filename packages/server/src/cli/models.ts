import { Command } from "commander";
import type { Actions } from "./context.ts";

export function modelsCommand(actions: Actions): Command {
  const command = new Command("models")
    .description("List the models that the server can call.")
    .addHelpText("after", "\nExamples:\n  ./berth models\n  ./berth models --json | jq -r '.[].name'");
  return actions.bind(command, async ({ client, printList, signal }) => {
    const { items } = await (await client()).models.list({ signal });
    printList(
      items,
      {
        MODEL: ({ name, demo }) => (demo ? `${name} (demo)` : name),
        CONTEXT: ({ contextWindow }) => String(contextWindow),
        "$ IN": ({ price }) => (price === null ? "-" : String(price.input)),
        "$ OUT": ({ price }) => (price === null ? "-" : String(price.output)),
      },
      "There are no models: set OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider and start the server again.",
    );
  });
}
