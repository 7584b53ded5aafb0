import type { ApiKey, CreateApiKeyReply } from "@berth/client";
import { Command } from "commander";
import { parseDuration } from "../lib/duration.ts";
import { collect } from "./collect.ts";
import type { Actions } from "./context.ts";
import { dateOf } from "./identity/date-text.ts";
import { andOrg, inOrg } from "./identity/org-option.ts";
import { principalId } from "./identity/principal-id.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth key create --name laptop --expires 90d
  ./berth key create --for ci --scopes session:read,session:write
  ./berth key create --for robot --org acme
  ./berth key list --all
  ./berth key rotate key_… --overlap 1h          the old one works for an hour more
  ./berth key revoke key_…                       streams that it opened end within seconds`;

interface CreateFlags {
  readonly name: string;
  readonly for?: string;
  readonly scopes?: string;
  readonly expires?: string;
}

export function keyCommand(actions: Actions): Command {
  const key = new Command("key").description("Make, rotate and revoke API keys.");
  key.addHelpText("after", examples);
  const create = inOrg(
    key
      .command("create")
      .description("Make a key, and show it this once.")
      .option("--name <name>", "what it is for", "cli")
      .option("--for <who>", "a service account, by id or name; default: yourself")
      .option(
        "--scopes <list>",
        "what it is limited to, joined by commas; default: all that its owner may do",
      )
      .option("--expires <duration>", "how long it works: 12h, 90d; default: until it is revoked"),
  );
  actions.bind<CreateFlags>(create, async ({ client, flags, print }) => {
    const berth = await client();
    const made = await berth.apiKeys.create({
      name: flags.name,
      ...(flags.for !== undefined && { owner: await principalId(berth, flags.for) }),
      ...(flags.scopes !== undefined && { scopes: flags.scopes.split(",").map((scope) => scope.trim()) }),
      ...(flags.expires !== undefined && { expiresInMs: parseDuration(flags.expires) }),
    });
    print(made, () => safeText(shown(made, andOrg(flags))));
  });
  bindList(actions, key);
  const rotate = inOrg(
    key
      .command("rotate <key>")
      .description("Make a new key in an old one's place, and show it this once.")
      .option("--overlap <duration>", "how long the old one still works", "1d")
      .option("--expires <duration>", "how long the new one works; default: as long as the old one did"),
  );
  actions.bind<{ overlap: string; expires?: string }>(rotate, async ({ client, args, flags, print }) => {
    const made = await (
      await client()
    ).apiKeys.rotate(args[0] ?? "", {
      overlapMs: parseDuration(flags.overlap),
      ...(flags.expires !== undefined && { expiresInMs: parseDuration(flags.expires) }),
    });
    print(made, () =>
      safeText(`${shown(made, andOrg(flags))}The old key works for ${flags.overlap} more.\n`),
    );
  });
  const revoke = inOrg(key.command("revoke <key>").description("End a key for good, by its id."));
  actions.bind(revoke, async ({ client, args, print }) => {
    const ended = await (await client()).apiKeys.revoke(args[0] ?? "");
    print(ended, safeText(`Key ${ended.id} (${ended.prefix}…) works no more.\n`));
  });
  return key;
}

function bindList(actions: Actions, key: Command): void {
  const list = inOrg(
    key
      .command("list")
      .description("List your keys.")
      .option("--for <who>", "those of a service account or member")
      .option("--all", "all of the organization"),
  );
  actions.bind<{ for?: string; all?: boolean }>(list, async ({ client, flags, printList, signal }) => {
    const berth = await client();
    const named = flags.for === undefined ? undefined : await principalId(berth, flags.for);
    const owner = named ?? (flags.all === true ? undefined : (await berth.me({ signal })).principal.id);
    const keys = berth.apiKeys.all({ limit: 200, ...(owner !== undefined && { owner }) });
    const none = owner === undefined || named !== undefined ? "There are no keys." : noneOfYours;
    printList(await collect(keys), columns, none);
  });
}

const noneOfYours = "You have no keys. Those of the whole organization: ./berth key list --all";

function shown({ id, key, expiresAt, signingSecret }: CreateApiKeyReply, org: string): string {
  const until = expiresAt === null ? "until it is revoked" : `until ${dateOf(expiresAt)} UTC`;
  return [
    key,
    "",
    `This is ${id}. It works ${until}, and is not shown again.`,
    ...(signingSecret === null ? [] : [`Sign with it, instead of sending it:  ${signingSecret}`]),
    `Use it:     export BERTH_API_KEY=…`,
    `End it:     ./berth key revoke ${id}${org}`,
    "",
  ].join("\n");
}

const columns = {
  ID: ({ id }: ApiKey) => id,
  PREFIX: ({ prefix }: ApiKey) => prefix,
  NAME: ({ name }: ApiKey) => name,
  OWNER: ({ owner }: ApiKey) => owner,
  STATE: stateOf,
  "LAST USED": ({ lastUsedAt }: ApiKey) => dateOf(lastUsedAt),
  EXPIRES: ({ expiresAt }: ApiKey) => dateOf(expiresAt),
  SCOPES: ({ scopes }: ApiKey) => scopes?.join(" ") ?? "all",
};

function stateOf({ revokedAt, expiresAt, replacedBy }: ApiKey): string {
  if (revokedAt !== null) return "revoked";
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) return "expired";
  return replacedBy === null ? "works" : "replaced";
}
