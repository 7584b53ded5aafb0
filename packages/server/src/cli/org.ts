import type { CreateInvitationReply, Org } from "@berth/client";
import { Command } from "commander";
import { collect } from "./collect.ts";
import type { Actions } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { settingsOf } from "./identity/org-settings.ts";
import { howToAccept } from "./identity/invitation-text.ts";
import { dateOf } from "./identity/date-text.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth org create acme --name "Acme Ltd" --owner ada@acme.example
  ./berth org list
  ./berth org show acme
  ./berth org update acme --set defaultVisibility=org
  ./berth org suspend acme                       nobody but you gets in until it is resumed
  ./berth org resume acme

Organizations are made, suspended and resumed with the server's admin key; their own administrators show and update theirs.`;

interface CreateFlags {
  readonly name?: string;
  readonly owner?: string;
  readonly ownerName?: string;
}

interface UpdateFlags {
  readonly name?: string;
  readonly slug?: string;
  readonly set: readonly string[];
}

export function orgCommand(actions: Actions): Command {
  const org = new Command("org").description("Make and change organizations.").addHelpText("after", examples);
  bindCreate(actions, org);
  const list = org.command("list").description("List every organization of the server.");
  actions.bind(list, async ({ client, printList }) => {
    printList(await collect((await client()).orgs.all({ limit: 200 })), columns, "There are none.");
  });
  const show = org
    .command("show [org]")
    .description("Show an organization by its slug or id; without one, the key's own.");
  actions.bind(show, async ({ client, args, print, signal }) => {
    const berth = await client();
    const named = args[0] ?? (await berth.me({ signal })).org.id;
    const found = await berth.orgs.get(named, { signal });
    print(found, () => safeText(`${JSON.stringify(found, null, 2)}\n`));
  });
  bindUpdate(actions, org);
  for (const [verb, status] of [
    ["suspend", "suspended"],
    ["resume", "active"],
  ] as const) {
    const command = org
      .command(`${verb} <org>`)
      .description(verb === "suspend" ? "Let nobody but the operator in." : "Let its people in again.");
    actions.bind(command, async ({ client, args, print }) => {
      const changed = await (await client()).orgs.update(args[0] ?? "", { status });
      print(changed, safeText(`Organization ${changed.slug} is ${changed.status}.\n`));
    });
  }
  return org;
}

function bindCreate(actions: Actions, org: Command): void {
  const create = org
    .command("create <slug>")
    .description("Make an organization, and invite its first owner.")
    .option("--name <name>", "what people call it; default: the slug")
    .option("--owner <email>", "who gets the invitation")
    .option("--owner-name <name>", "the owner's name");
  actions.bind<CreateFlags>(create, async ({ client, args, flags, print }) => {
    const [slug = ""] = args;
    const { name, owner: email, ownerName } = flags;
    if (email === undefined && ownerName !== undefined)
      throw new CliError("--owner-name needs --owner with an email address.", exit.usage);
    const berth = await client();
    const made = await berth.orgs.create({
      slug,
      ...(name !== undefined && { name }),
      ...(email !== undefined && {
        owner: { email, ...(ownerName !== undefined && { name: ownerName }) },
      }),
    });
    print(made, () => created(made, berth.baseUrl));
  });
}

function bindUpdate(actions: Actions, org: Command): void {
  const update = org
    .command("update <org>")
    .description("Change an organization's name, slug or settings.")
    .option("--name <name>", "what people call it")
    .option("--slug <slug>", "its name in addresses and headers; only the operator")
    .option("--set <name=value>", "a setting, as JSON or text; name= for its default again", append, []);
  actions.bind<UpdateFlags>(update, async ({ client, args, flags, print }) => {
    const { name, slug } = flags;
    const settings = settingsOf(flags.set);
    const body = {
      ...(name !== undefined && { name }),
      ...(slug !== undefined && { slug }),
      ...(settings !== null && { settings }),
    };
    if (Object.keys(body).length === 0)
      throw new CliError("There is nothing to change: give --name, --slug or --set.", exit.usage);
    const changed = await (await client()).orgs.update(args[0] ?? "", body);
    print(changed, safeText(`Organization ${changed.slug} is changed.\n`));
  });
}

function created(
  { org, invitation }: { readonly org: Org; readonly invitation: CreateInvitationReply | null },
  url: string,
): string {
  const lines =
    invitation === null
      ? [
          `Organization ${org.slug} (${org.id}) is made. Nobody is in it yet.`,
          `Invite its owner:  ./berth user invite ada@example.org --role owner --org ${org.slug}`,
          "",
        ]
      : [
          `Organization ${org.slug} (${org.id}) is made.`,
          "",
          howToAccept(invitation, url),
          `Keys for programs:  ./berth key create --for sva_… --org ${org.slug}`,
          "",
        ];
  return safeText(lines.join("\n"));
}

function append(value: string, all: readonly string[]): readonly string[] {
  return [...all, value];
}

const columns = {
  SLUG: ({ slug }: Org) => slug,
  ID: ({ id }: Org) => id,
  STATUS: ({ status }: Org) => status,
  NAME: ({ name }: Org) => name,
  MADE: ({ createdAt }: Org) => dateOf(createdAt),
};
