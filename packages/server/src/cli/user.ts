import type { Invitation, Member } from "@berth/client";
import { Command } from "commander";
import { parseDuration } from "../lib/duration.ts";
import { collect } from "./collect.ts";
import type { Actions, CommandContext } from "./context.ts";
import { bindAccept } from "./identity/accept-command.ts";
import { bindCreateOwner } from "./identity/create-owner-command.ts";
import { dateOf } from "./identity/date-text.ts";
import { findPerson } from "./identity/find-person.ts";
import { howToAccept } from "./identity/invitation-text.ts";
import { inOrg } from "./identity/org-option.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth user invite grace@acme.example --role admin
  ./berth user invitations
  ./berth user uninvite inv_…
  ./berth user accept                            take an invitation: asks for the link and a password
  ./berth user role grace@acme.example member
  ./berth user suspend grace@acme.example        keys and streams end within seconds
  ./berth user resume grace@acme.example
  ./berth user remove grace@acme.example
  ./berth user reset-password grace@acme.example
  ./berth user list --org acme                   as the operator, in another organization`;

interface InviteFlags {
  readonly role: string;
  readonly name?: string;
  readonly expires: string;
}

export function userCommand(actions: Actions): Command {
  const user = new Command("user").description("Invite people and say what they may do.");
  user.addHelpText("after", examples);
  bindInvitations(actions, user);
  bindAccept(actions, user);
  bindCreateOwner(actions, user);
  const list = inOrg(user.command("list").description("List the organization's people."));
  actions.bind(list, async ({ client, printList }) => {
    printList(await collect((await client()).members.all({ limit: 200 })), columns, "There is nobody.");
  });
  const role = inOrg(
    user.command("role <user> <role>").description("Give a member another role, by id or email."),
  );
  actions.bind(role, (context) => change(context, { role: context.args[1] ?? "" }));
  const suspend = inOrg(user.command("suspend <user>").description("Let a member in no more, for a while."));
  actions.bind(suspend, (context) => change(context, { status: "suspended" }));
  const resume = inOrg(user.command("resume <user>").description("Let a suspended member in again."));
  actions.bind(resume, (context) => change(context, { status: "active" }));
  const remove = inOrg(
    user.command("remove <user>").description("End a membership, with its keys. What the person made stays."),
  );
  actions.bind(remove, async ({ client, args, print }) => {
    const berth = await client();
    const { id, name } = await findPerson(berth, args[0] ?? "");
    await berth.members.remove(id);
    print({ removed: id }, safeText(`${name} (${id}) is no member any more.\n`));
  });
  return user;
}

function bindInvitations(actions: Actions, user: Command): void {
  const invite = inOrg(
    user
      .command("invite <email>")
      .description("Invite somebody, and show the link to pass on.")
      .option("--role <role>", "owner, admin, member, viewer or one of your own", "member")
      .option("--name <name>", "the person's name")
      .option("--expires <duration>", "how long the link works: 12h, 7d, at most 30d", "7d"),
  );
  actions.bind<InviteFlags>(invite, async ({ client, args, flags, print }) => {
    const berth = await client();
    const invitation = await berth.invitations.create({
      kind: "join",
      email: args[0] ?? "",
      role: flags.role,
      expiresInMs: parseDuration(flags.expires),
      ...(flags.name !== undefined && { name: flags.name }),
    });
    print(invitation, () => safeText(howToAccept(invitation, berth.baseUrl)));
  });
  const reset = inOrg(
    user
      .command("reset-password <user>")
      .description("Show a link with which a member chooses a new password."),
  );
  actions.bind(reset, async ({ client, args, print }) => {
    const berth = await client();
    const { id } = await findPerson(berth, args[0] ?? "");
    const invitation = await berth.invitations.create({ kind: "reset", userId: id });
    print(invitation, () => safeText(howToAccept(invitation, berth.baseUrl)));
  });
  const list = inOrg(
    user
      .command("invitations")
      .description("List invitations.")
      .option("--open", "only those that can be used"),
  );
  actions.bind<{ open?: boolean }>(list, async ({ client, flags, printList }) => {
    const all = (await client()).invitations.all({ limit: 200, ...(flags.open === true && { open: true }) });
    printList(await collect(all), invitationColumns, "Nobody is invited.");
  });
  const revoke = inOrg(user.command("uninvite <invitation>").description("Take an invitation back."));
  actions.bind(revoke, async ({ client, args, print }) => {
    const [id = ""] = args;
    await (await client()).invitations.revoke(id);
    print({ revoked: id }, safeText(`Invitation ${id} can be used no more.\n`));
  });
}

async function change(
  { client, args, print }: CommandContext<unknown>,
  body: { readonly role?: string; readonly status?: Member["status"] },
): Promise<void> {
  const berth = await client();
  const { id } = await findPerson(berth, args[0] ?? "");
  const member = await berth.members.update(id, body);
  print(member, safeText(`${member.name} (${id}) is ${member.status}, with the role ${member.role}.\n`));
}

const columns = {
  ID: ({ id }: Member) => id,
  NAME: ({ name }: Member) => name,
  EMAIL: ({ email }: Member) => email ?? "-",
  ROLE: ({ role }: Member) => role,
  STATUS: ({ status }: Member) => status,
  "LAST LOGIN": ({ lastLoginAt }: Member) => dateOf(lastLoginAt),
};

const invitationColumns = {
  ID: ({ id }: Invitation) => id,
  EMAIL: ({ email }: Invitation) => email,
  KIND: ({ kind }: Invitation) => kind,
  ROLE: ({ role }: Invitation) => role,
  STATE: stateOf,
  EXPIRES: ({ expiresAt }: Invitation) => dateOf(expiresAt),
};

function stateOf({ acceptedAt, revokedAt, expiresAt }: Invitation): string {
  if (acceptedAt !== null) return "accepted";
  if (revokedAt !== null) return "taken back";
  return Date.parse(expiresAt) > Date.now() ? "open" : "expired";
}
