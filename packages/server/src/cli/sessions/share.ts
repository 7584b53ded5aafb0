import type { BerthClient, ShareLink } from "@berth/client";
import type { Command } from "commander";
import { parseDuration } from "../../lib/duration.ts";
import type { Actions, CommandContext } from "../context.ts";
import { CliError, exit } from "../exit.ts";

const longestMs = 30 * 86_400_000;

const shareExamples = `
Examples:
  ./berth sessions share ses_… --expires 2d      a link that anybody can read it with
  ./berth sessions share ses_… --with-org        everybody of the organization sees it`;

const unshareExamples = `
Examples:
  ./berth sessions unshare ses_… shr_…           end one link
  ./berth sessions unshare ses_…                 end all of them
  ./berth sessions unshare ses_… --with-org      only its owner sees it, from now on`;

/** Who else sees a session. */
export function bindSessionSharing(actions: Actions, sessions: Command): void {
  const share = sessions
    .command("share <id>")
    .description("Make a link with which anybody reads a session, or show it to your organization.")
    .option("--expires <duration>", "how long the link works: 30m, 12h, 7d, at most 30d", "7d")
    .option("--with-org", "no link: show it to everybody of the organization")
    .addHelpText("after", shareExamples);
  actions.bind<{ expires: string; withOrg?: boolean }>(share, async (context) => {
    const { client, args, flags, print } = context;
    const [id = ""] = args;
    if (flags.withOrg === true) return setVisibility(context, "org");
    const expiresInMs = parseDuration(flags.expires);
    if (expiresInMs > longestMs) throw new CliError("A link works for 30d at most.", exit.usage);
    const link = await (await client()).sessions.shareLinks.create(id, { expiresInMs });
    print(link, `${link.token}\n\n${told(link, id)}`);
  });
  const shares = sessions
    .command("shares <id>")
    .description("List the links of a session, those that have ended too.");
  actions.bind(shares, async ({ client, args, printList, signal }) => {
    const links = await allLinks(await client(), args[0] ?? "", signal);
    printList(links, columns, "Nobody was given a link to it.");
  });
  const unshare = sessions
    .command("unshare <id> [link]")
    .description("End the links of a session, or hide it from the organization.")
    .option("--with-org", "no links: show it to its owner alone")
    .addHelpText("after", unshareExamples);
  actions.bind<{ withOrg?: boolean }>(unshare, async (context) => {
    const { client, args, flags, print, signal } = context;
    const [id = "", named] = args;
    if (flags.withOrg === true) return setVisibility(context, "private");
    const berth = await client();
    const open = named === undefined ? (await allLinks(berth, id, signal)).filter(isOpen) : [{ id: named }];
    for (const link of open) await berth.sessions.shareLinks.revoke(id, link.id, { signal });
    const ended = open.map((link) => link.id);
    print({ revoked: ended }, ended.length === 0 ? "No link was open.\n" : `Ended: ${ended.join(", ")}\n`);
  });
}

async function setVisibility(
  { client, args, print }: CommandContext<unknown>,
  visibility: "org" | "private",
): Promise<void> {
  const [id = ""] = args;
  const session = await (await client()).sessions.update(id, { visibility });
  const who = visibility === "org" ? "everybody of its organization sees it" : "only its owner sees it";
  print(session, `Session ${id}: ${who}.\n`);
}

async function allLinks(berth: BerthClient, id: string, signal: AbortSignal): Promise<readonly ShareLink[]> {
  const links: ShareLink[] = [];
  let after: string | null = null;
  do {
    const page = await berth.sessions.shareLinks.list(id, {
      signal,
      limit: 200,
      ...(after !== null && { after }),
    });
    links.push(...page.items);
    after = page.next;
  } while (after !== null);
  return links;
}

function isOpen({ revokedAt, expiresAt }: ShareLink): boolean {
  return revokedAt === null && Date.parse(expiresAt) > Date.now();
}

function told({ id, expiresAt }: ShareLink, sessionId: string): string {
  return [
    `Anybody who has this token reads the session until ${expiresAt}. It is not shown again.`,
    `Read it:  ./berth sessions tail ${sessionId} --from-start   with BERTH_API_KEY set to the token`,
    `End it:   ./berth sessions unshare ${sessionId} ${id}`,
    "",
  ].join("\n");
}

const columns = {
  ID: ({ id }: ShareLink) => id,
  STATE: (link: ShareLink) => (isOpen(link) ? "open" : link.revokedAt === null ? "expired" : "revoked"),
  EXPIRES: ({ expiresAt }: ShareLink) => expiresAt.slice(0, 19).replace("T", " "),
  USES: ({ uses }: ShareLink) => String(uses),
  "MADE BY": ({ createdBy }: ShareLink) => createdBy,
};
