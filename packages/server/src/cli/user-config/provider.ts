import type { UserConfig } from "@berth/client";
import { Command } from "commander";
import type { Actions } from "../context.ts";
import { CliError, exit } from "../exit.ts";
import { providerColumns } from "../model-providers.ts";
import { type ProviderFlags, providerOf, withProvider } from "../provider-flags.ts";

const examples = `
Your providers serve your own sessions only, before those of your organization and of the server with the same name.

Examples:
  ./berth user-config provider set openai --key-env MY_OPENAI_KEY
  ./berth user-config provider set lab --base-url https://models.lab.example/v1 --key-stdin < key.txt
  ./berth user-config provider remove lab`;

/** Model providers of one's own. */
export function userProviderCommand(actions: Actions): Command {
  const provider = new Command("provider")
    .description("Show and change model providers of your own.")
    .addHelpText("after", examples);
  const list = provider.command("list").description("List them. Keys are never shown.");
  actions.bind(list, async ({ client, printList, signal }) => {
    const { modelProviders } = await (await client()).userConfig.ensure({ signal });
    printList(modelProviders, providerColumns, "You have no model providers of your own.");
  });
  const set = withProvider(provider.command("set <name>").description("Make or change one."));
  actions.bind<ProviderFlags>(set, async (context) => {
    const [name = ""] = context.args;
    const written = await providerOf(context);
    const client = await context.client();
    const { version, modelProviders } = await client.userConfig.ensure();
    const before = modelProviders.find((one) => one.name === name);
    const others = modelProviders.filter((one) => one.name !== name);
    const all = [...others.map(kept), { ...(before && kept(before)), name, ...written }];
    await client.userConfig.putModelProviders(all, { ifVersion: version });
    context.print({ saved: name }, `Its models are called as ${name}/NAME, in your own sessions.\n`);
  });
  const remove = provider.command("remove <name>").description("Remove one, with its key.");
  actions.bind(remove, async ({ client: connect, args, print }) => {
    const [name = ""] = args;
    const client = await connect();
    const { version, modelProviders } = await client.userConfig.ensure();
    const others = modelProviders.filter((one) => one.name !== name);
    if (others.length === modelProviders.length)
      throw new CliError(`You have no provider ${name}: ./berth user-config provider list`, exit.failed);
    await client.userConfig.putModelProviders(others.map(kept), { ifVersion: version });
    print({ removed: name }, `${name} is gone.\n`);
  });
  return provider;
}

/** As it is written, so that it stays as it is: what is sealed is left out. */
function kept({ name, kind, baseURL, models }: UserConfig["modelProviders"][number]) {
  return { name, kind, baseURL, models };
}
