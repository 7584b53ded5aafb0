import { setTimeout as pause } from "node:timers/promises";
import type { BerthClient, Erasure } from "@berth/client";
import { Command } from "commander";
import { connect } from "./connection.ts";
import type { Actions, GlobalFlags } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { principalId } from "./identity/principal-id.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
There is no way back. Sessions with their logs and files, settings, keys and the account go; a receipt stays. Backups hold what was
erased until they are deleted.

Examples:
  ./berth erasures create --user ada@acme.example --confirm ada@acme.example
  ./berth erasures create --whole-org org_… --org acme --confirm acme
  ./berth erasures list
  ./berth erasures show rct_…`;

interface CreateFlags extends GlobalFlags {
  readonly user?: string;
  readonly wholeOrg?: string;
  readonly confirm: string;
  readonly wait?: boolean;
}

export function erasuresCommand(actions: Actions): Command {
  const erasures = new Command("erasures")
    .description("Erase a user or an organization for good, and see the receipts.")
    .addHelpText("after", examples);
  const create = erasures
    .command("create")
    .description("Erase somebody, and wait until it is done.")
    .option("--user <who>", "a user or service account, by id, email or name")
    .option("--whole-org <id>", "the whole organization")
    .requiredOption("--confirm <name>", "the user's email, or the organization's slug")
    .option("--org <slug>", "in another organization")
    .option("--no-wait", "do not wait");
  actions.bind<CreateFlags>(create, async ({ client, flags, io, print, signal }) => {
    const { user, wholeOrg, confirm, wait } = flags;
    const scope = wholeOrg === undefined ? "user" : "org";
    const whom = wholeOrg ?? user;
    if (whom === undefined) throw new CliError("Say whom: --user WHO, or --whole-org ID.", exit.usage);
    const asking = await client();
    const id = scope === "org" ? whom : await principalId(asking, whom);
    const begun = await asking.erasures.create({ scope, id, confirm }, { signal });
    if (wait === false) return print(begun, () => receipt(begun));
    // An organization that is gone cannot be asked: the operator asks at home.
    const { org: _, ...atHome } = flags;
    const berth = scope === "org" ? await connect(atHome, signal, { env: io.env }) : asking;
    const erasure = await untilDone(berth, begun, signal);
    print(erasure, () => receipt(erasure));
  });
  const show = erasures
    .command("show <id>")
    .description("Show how far an erasure is, or its receipt.")
    .option("--org <slug>", "in another organization");
  actions.bind(show, async ({ client, args, print, signal }) => {
    const erasure = await (await client()).erasures.get(args[0] ?? "", { signal });
    print(erasure, () => receipt(erasure));
  });
  const list = erasures
    .command("list")
    .description("List erasures, newest first.")
    .option("--org <slug>", "in another organization");
  actions.bind(list, async ({ client, printList, signal }) => {
    const { items } = await (await client()).erasures.list({ limit: 100, signal });
    printList(items, columns, "Nothing was erased yet.");
  });
  return erasures;
}

/** An organization that erases itself takes its key along: then the operator reads the receipt. */
async function untilDone(berth: BerthClient, begun: Erasure, signal: AbortSignal): Promise<Erasure> {
  let erasure = begun;
  while (erasure.status === "running") {
    await pause(500, undefined, { signal });
    const now = await berth.erasures.get(erasure.id, { signal }).catch((thrown: unknown) => {
      if (begun.scope === "org") return null;
      throw thrown;
    });
    if (now === null) return erasure;
    erasure = now;
  }
  return erasure;
}

const columns = {
  ID: ({ id }: Erasure) => id,
  STATUS: ({ status }: Erasure) => status,
  ERASED: ({ target }: Erasure) => target,
  BEGUN: ({ createdAt }: Erasure) => createdAt.slice(0, 19).replace("T", " "),
};

function receipt({ id, status, target, counts, note, error, finishedAt, hash }: Erasure): string {
  const rows: readonly (readonly [string, string | null])[] = [
    ["receipt", id],
    ["erased", target],
    ["status", finishedAt === null ? status : `${status} ${finishedAt}`],
    ["error", error],
    ...Object.entries(counts).map(([name, count]) => [name, String(count)] as const),
    ["hash", hash],
    ["note", note],
  ];
  return rows
    .flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(20)} ${safeText(value)}\n`]))
    .join("");
}
