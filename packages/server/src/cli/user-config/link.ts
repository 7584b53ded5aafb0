import { Command } from "commander";
import type { Actions } from "../context.ts";

const examples = `
Examples:
  ./berth user-config link add https://example.com/report --label "the report"
  ./berth user-config link add shr_…             a share link of one of your sessions`;

/** Bookmarks of what one has shared. */
export function linkCommand(actions: Actions): Command {
  const link = new Command("link")
    .description("Keep links that you have shared, to find them again.")
    .addHelpText("after", examples);
  const add = link
    .command("add <link>")
    .description("Keep one: an address, or the id of a share link.")
    .option("--label <text>", "what you call it");
  actions.bind<{ label?: string }>(add, async ({ client, args, flags, print }) => {
    const [target = ""] = args;
    const where = target.startsWith("shr_") ? { shareLinkId: target } : { url: target };
    const label = flags.label === undefined ? {} : { label: flags.label };
    const { sharedLinks } = await (await client()).userConfig.addSharedLink({ ...where, ...label });
    const added = sharedLinks.at(-1);
    print(added, `Kept as ${added?.id}.\n`);
  });
  const remove = link.command("remove <id>").description("Forget one. The link itself goes on working.");
  actions.bind(remove, async ({ client, args, print }) => {
    const [id = ""] = args;
    await (await client()).userConfig.removeSharedLink(id);
    print({ removed: id }, `${id} is forgotten.\n`);
  });
  return link;
}
