import type { UserConfig, UserConfigInput } from "@berth/client";
import { Command } from "commander";
import type { Actions } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { safeText } from "./terminal/safe-text.ts";
import { fragmentCommand } from "./user-config/fragment.ts";
import { linkCommand } from "./user-config/link.ts";
import { userProviderCommand } from "./user-config/provider.ts";

interface SetFlags {
  readonly sandboxStrategy?: string;
  readonly poolQuota?: string;
  readonly autoScroll?: string;
  readonly notifications?: string;
  readonly suggestions?: string;
}

const examples = `
Examples:
  ./berth user-config show
  ./berth user-config set --sandbox-strategy User-Exclusive --auto-scroll off
  ./berth user-config fragment add "Answer in French." --label language
  ./berth user-config fragment list
  ./berth user-config fragment off frg_…
  ./berth user-config fragment on frg_…
  ./berth user-config fragment remove frg_…
  ./berth user-config link remove lnk_…
  ./berth user-config provider list
  ./berth user-config provider set openai --key-env MY_OPENAI_KEY
  ./berth user-config provider remove openai
  ./berth user-config delete`;

export function userConfigCommand(actions: Actions): Command {
  const config = new Command("user-config")
    .description("Show and change what you have set for yourself.")
    .addHelpText("after", examples);
  const show = config.command("show").description("Show it. Keys are never shown.");
  actions.bind(show, async ({ client, print, signal }) => {
    const found = await (await client()).userConfig.ensure({ signal });
    print(found, () => shown(found));
  });
  const set = config
    .command("set")
    .description("Change plain settings; what is not named stays.")
    .option(
      "--sandbox-strategy <strategy>",
      "Shared-Pool, User-Exclusive, Session-Exclusive, or default: as the organization says",
    )
    .option("--pool-quota <number>", "sandboxes that you may have at once, or default")
    .option("--auto-scroll <on|off>", "follow new text in the console")
    .option("--notifications <on|off>", "tell when a task is done")
    .option("--suggestions <on|off>", "suggest what to write");
  actions.bind<SetFlags>(set, async ({ client, flags, print }) => {
    const changed = await (await client()).userConfig.put(settingsOf(flags));
    print(changed, () => shown(changed));
  });
  const remove = config
    .command("delete")
    .description("Delete all of it, with the keys of your model providers.");
  actions.bind(remove, async ({ client, print }) => {
    await (await client()).userConfig.delete();
    print({ deleted: true }, "Your user config is gone.\n");
  });
  config.addCommand(fragmentCommand(actions));
  config.addCommand(linkCommand(actions));
  config.addCommand(userProviderCommand(actions));
  return config;
}

function settingsOf(flags: SetFlags): UserConfigInput {
  const { sandboxStrategy, poolQuota, autoScroll, notifications, suggestions } = flags;
  const settings: UserConfigInput = {
    // The server says which values there are.
    ...(sandboxStrategy !== undefined && {
      sandboxAllocationStrategy: sandboxStrategy === "default" ? null : (sandboxStrategy as "Shared-Pool"),
    }),
    ...(poolQuota !== undefined && { sandboxPoolQuota: poolQuota === "default" ? null : Number(poolQuota) }),
    ...(autoScroll !== undefined && { autoScrollEnabled: isOn(autoScroll) }),
    ...(notifications !== undefined && { taskCompletionNotificationEnabled: isOn(notifications) }),
    ...(suggestions !== undefined && { inputSuggestionsEnabled: isOn(suggestions) }),
  };
  if (Object.keys(settings).length > 0) return settings;
  throw new CliError("There is nothing to change: give at least one option.", exit.usage);
}

function isOn(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new CliError(`Say on or off, not ${text}.`, exit.usage);
}

function shown(config: UserConfig): string {
  const { customSpFragments, sharedLinks, modelProviders } = config;
  const lines = [
    `sandboxes      ${config.sandboxAllocationStrategy ?? "as the organization says"}, at most ${config.sandboxPoolQuota ?? "as many as everybody may have"} (in use: ./berth sandbox list)`,
    `auto scroll    ${config.autoScrollEnabled ? "on" : "off"}`,
    `notifications  ${config.taskCompletionNotificationEnabled ? "on" : "off"}`,
    `suggestions    ${config.inputSuggestionsEnabled ? "on" : "off"}`,
    `fragments      ${customSpFragments.length}`,
    ...customSpFragments.map(
      (one) => `  ${one.id}  ${one.enabled ? "" : "(off) "}${one.label || one.content}`,
    ),
    `shared links   ${sharedLinks.length}`,
    ...sharedLinks.map(({ id, label, url, shareLinkId }) => `  ${id}  ${label} ${url ?? shareLinkId ?? ""}`),
    `providers      ${modelProviders.length}`,
    ...modelProviders.map(({ name, baseURL, hasKey }) => `  ${name}  ${baseURL}${hasKey ? ", key set" : ""}`),
  ];
  return safeText(`${lines.map((line) => line.replaceAll(/\s*\n\s*/g, " ")).join("\n")}\n`);
}
