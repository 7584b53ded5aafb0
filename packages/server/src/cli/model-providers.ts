import type { ModelProviderInfo } from "@berth/client";
import { Command } from "commander";
import type { Actions } from "./context.ts";
import { type ProviderFlags, providerOf, withProvider } from "./provider-flags.ts";

const examples = `
Examples:
  ./berth model-providers set openai --key-env OPENAI_API_KEY
  ./berth model-providers set lab --base-url https://models.lab.example/v1 --key-stdin < key.txt
  ./berth model-providers list
  ./berth model-providers remove lab`;

export function modelProvidersCommand(actions: Actions): Command {
  const providers = new Command("model-providers")
    .description("Show and change the model providers of your organization.")
    .addHelpText("after", examples);
  const list = providers.command("list").description("List them. Keys are never shown.");
  actions.bind(list, async ({ client, printList, signal }) => {
    const { items } = await (await client()).modelProviders.list({ signal });
    printList(items, providerColumns, "Your organization has no model providers of its own.");
  });
  const set = withProvider(providers.command("set <name>").description("Make or change one."));
  actions.bind<ProviderFlags>(set, async (context) => {
    const [name = ""] = context.args;
    const written = await providerOf(context);
    const { modelProviders } = await context.client();
    const before = (await modelProviders.list()).items.find((one) => one.name === name);
    const kept = before && { kind: before.kind, baseURL: before.baseURL, models: before.models };
    const saved = await modelProviders.put(name, { ...kept, ...written });
    context.print(saved, `Its models are called as ${saved.name}/NAME. ${keyText(saved)}\n`);
  });
  const remove = providers.command("remove <name>").description("Delete one, with its key.");
  actions.bind(remove, async ({ client, args, print }) => {
    const [name = ""] = args;
    await (await client()).modelProviders.delete(name);
    print({ removed: name }, `${name} is gone.\n`);
  });
  return providers;
}

type Shown = Pick<ModelProviderInfo, "name" | "kind" | "baseURL" | "hasKey" | "models">;

export const providerColumns = {
  NAME: ({ name }: Shown) => name,
  KIND: ({ kind }: Shown) => kind,
  PLACE: ({ baseURL }: Shown) => baseURL,
  KEY: ({ hasKey }: Shown) => (hasKey ? "set" : "-"),
  MODELS: ({ models }: Shown) => models.map(({ name }) => name).join(" ") || "any",
};

function keyText({ hasKey }: Shown): string {
  return hasKey ? "A key is set." : "It has no key.";
}
