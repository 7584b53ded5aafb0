import type { Quota } from "@berth/client";
import { Command } from "commander";
import { formatByteSize, parseByteSize } from "../lib/byte-size.ts";
import type { Actions } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { inOrg } from "./identity/org-option.ts";

const examples = `
Examples:
  ./berth quota show --org acme
  ./berth quota set --org acme sessions=1000 storedBytes=10GiB runningSessions=20
  ./berth quota set --org acme sessions=none     not limited, whatever the server's default is
  ./berth quota set --org acme sessions=default  as the server's default says`;

export function quotaCommand(actions: Actions): Command {
  const quota = new Command("quota").description("See and set what an organization may have.");
  quota.addHelpText("after", examples);
  const show = inOrg(quota.command("show").description("Show quotas and what is used of them."));
  actions.bind(show, async ({ client, flags, printer, printList, signal }) => {
    const { items } = await (await client()).quotas.list({ signal });
    printList(items, columns, "There are no quotas.");
    if (flags.json !== true) printer.out("\nSandboxes at once: ./berth sandbox list\n");
  });
  const set = inOrg(
    quota
      .command("set <quotas...>")
      .description("Set quotas of an organization; those that are not named stay as they are."),
  );
  actions.bind<{ org?: string }>(set, async ({ client, args, flags, printList, signal }) => {
    const berth = await client();
    const before = (await berth.quotas.list({ signal })).items;
    const org = flags.org ?? (await berth.me({ signal })).org.id;
    const { items } = await berth.quotas.set(org, merged(before, args), { signal });
    printList(items, columns, "There are no quotas.");
  });
  return quota;
}

const columns = {
  QUOTA: ({ name }: Quota) => name,
  LIMIT: ({ name, limit }: Quota) => (limit === null ? "none" : amountOf(name, limit)),
  USED: ({ name, used }: Quota) => amountOf(name, used),
  SET: ({ source }: Quota) => (source === "org" ? "for this organization" : "by default"),
};

function amountOf(name: Quota["name"], amount: number): string {
  return name === "storedBytes" ? formatByteSize(amount) : String(amount);
}

/** The organization's own quotas, with the changes. */
function merged(
  before: readonly Quota[],
  changes: readonly string[],
): Partial<Record<Quota["name"], number | null>> {
  const own = new Map(
    before.filter(({ source }) => source === "org").map(({ name, limit }) => [name, limit]),
  );
  for (const change of changes) {
    const [, word = "", value = ""] = /^(\w+)=(\w[\w.]*)$/.exec(change) ?? [];
    const name = before.find((quota) => quota.name === word)?.name;
    if (name === undefined) {
      const names = before.map((quota) => quota.name).join(", ");
      throw new CliError(`Write what is to be set as NAME=LIMIT; the names are ${names}.`, exit.usage);
    }
    if (value === "default") own.delete(name);
    else own.set(name, value === "none" ? null : limitOf(name, value));
  }
  return Object.fromEntries(own);
}

function limitOf(name: Quota["name"], value: string): number {
  if (name === "storedBytes") return parseByteSize(value);
  if (/^\d{1,12}$/.test(value)) return Number(value);
  throw new CliError(`${value} is no limit of ${name}: write a number, none or default.`, exit.usage);
}
