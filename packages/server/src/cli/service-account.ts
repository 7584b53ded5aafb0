import type { BerthClient, CertificateName, ServiceAccount } from "@berth/client";
import { Command } from "commander";
import { collect } from "./collect.ts";
import type { Actions } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { dateOf } from "./identity/date-text.ts";
import { andOrg, inOrg } from "./identity/org-option.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth service-account create ci --role member
  ./berth key create --for ci --scopes session:read,session:write
  ./berth service-account list
  ./berth service-account update ci --disable
  ./berth service-account delete ci
  ./berth service-account update ci --org acme --certificate name=DNS:ci.acme.example   for the operator`;

interface ChangeFlags {
  readonly role?: string;
  readonly name?: string;
  readonly certificate: readonly string[];
  readonly disable?: boolean;
  readonly enable?: boolean;
}

export function serviceAccountCommand(actions: Actions): Command {
  const group = new Command("service-account").description("Make accounts for programs.");
  group.addHelpText("after", examples);
  const create = withCertificates(
    group
      .command("create <name>")
      .description("Make one.")
      .option("--role <role>", "what it may do", "member"),
  );
  actions.bind<ChangeFlags>(create, async ({ client, args, flags, print }) => {
    const account = await (
      await client()
    ).serviceAccounts.create({
      name: args[0] ?? "",
      ...(flags.role !== undefined && { role: flags.role }),
      ...(flags.certificate.length > 0 && { certificates: flags.certificate.map(certificateOf) }),
    });
    const next = `Give it a key:  ./berth key create --for ${account.id}${andOrg(flags)}`;
    print(account, safeText(`Service account ${account.name} (${account.id}) is made.\n${next}\n`));
  });
  const list = inOrg(group.command("list").description("List the organization's service accounts."));
  actions.bind(list, async ({ client, printList }) => {
    const all = (await client()).serviceAccounts.all({ limit: 200 });
    printList(await collect(all), columns, "There are none.");
  });
  bindUpdate(actions, group);
  const remove = inOrg(group.command("delete <account>").description("Delete one, with its keys."));
  actions.bind(remove, async ({ client, args, print }) => {
    const berth = await client();
    const { id, name } = await findServiceAccount(berth, args[0] ?? "");
    await berth.serviceAccounts.delete(id);
    print({ deleted: id }, safeText(`Service account ${name} (${id}) is gone, and its keys with it.\n`));
  });
  return group;
}

/** By id or name. */
export async function findServiceAccount(client: BerthClient, idOrName: string): Promise<ServiceAccount> {
  if (idOrName.includes("_")) return client.serviceAccounts.get(idOrName);
  for await (const account of client.serviceAccounts.all({ limit: 200 })) {
    if (account.name === idOrName) return account;
  }
  throw new CliError(`There is no service account ${idOrName}. People are named by their email or id.`);
}

function bindUpdate(actions: Actions, group: Command): void {
  const update = withCertificates(
    group
      .command("update <account>")
      .description("Change one, by id or name.")
      .option("--role <role>", "what it may do")
      .option("--name <name>", "another name")
      .option("--disable", "its keys and certificates work no more")
      .option("--enable", "they work again"),
  );
  actions.bind<ChangeFlags>(update, async ({ client, args, flags, print }) => {
    const { role, name, certificate, disable, enable } = flags;
    if (disable === true && enable === true)
      throw new CliError("Choose one of --disable and --enable.", exit.usage);
    const body = {
      ...(role !== undefined && { role }),
      ...(name !== undefined && { name }),
      ...(disable === true && { status: "disabled" as const }),
      ...(enable === true && { status: "active" as const }),
      ...(certificate.length > 0 && { certificates: certificate.map(certificateOf) }),
    };
    if (Object.keys(body).length === 0)
      throw new CliError("There is nothing to change: add --help to see what it takes.", exit.usage);
    const berth = await client();
    const { id } = await findServiceAccount(berth, args[0] ?? "");
    const account = await berth.serviceAccounts.update(id, body);
    const what = `is ${account.status}, with the role ${account.role}`;
    print(account, safeText(`Service account ${account.name} (${id}) ${what}.\n`));
  });
}

function withCertificates(command: Command): Command {
  return inOrg(
    command.option(
      "--certificate <kind=value>",
      "for the operator: fingerprint=HEX or name=DNS:…; several times, in place of those before",
      (value: string, all: readonly string[]) => [...all, value],
      [],
    ),
  );
}

function certificateOf(text: string): CertificateName {
  const [, kind, value = ""] = /^(fingerprint|name)=(.+)$/.exec(text) ?? [];
  if (kind === "name") return { kind, value };
  if (kind === "fingerprint") return { kind, value: value.replaceAll(":", "").toLowerCase() };
  throw new CliError(`--certificate takes fingerprint=… or name=…, and ${text} is neither.`, exit.usage);
}

const columns = {
  ID: ({ id }: ServiceAccount) => id,
  NAME: ({ name }: ServiceAccount) => name,
  ROLE: ({ role }: ServiceAccount) => role,
  STATUS: ({ status }: ServiceAccount) => status,
  CERTIFICATES: ({ certificates }: ServiceAccount) => certificates.map(({ value }) => value).join(" ") || "-",
  MADE: ({ createdAt }: ServiceAccount) => dateOf(createdAt),
};
