import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { BerthClient, ExportJob } from "@berth/client";
import { Command } from "commander";
import { roughByteSize } from "../lib/byte-size.ts";
import type { Actions } from "./context.ts";
import { CliError } from "./exit.ts";
import { principalId } from "./identity/principal-id.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
An export is a ZIP archive of JSON Lines: rows, whole logs, files. No secret is in it. It can be downloaded for 24 hours by who
asked for it.

Examples:
  ./berth exports create                      a copy of what is yours
  ./berth exports create --user ada@acme.example
  ./berth exports create --whole-org --org acme
  ./berth exports list
  ./berth exports download exp_… --to acme.zip
  ./berth exports delete exp_…`;

interface CreateFlags {
  readonly user?: string;
  readonly wholeOrg?: boolean;
  readonly wait?: boolean;
}

export function exportsCommand(actions: Actions): Command {
  const exports = new Command("exports")
    .description("Ask for copies of your data, or of the organization's.")
    .addHelpText("after", examples);
  const create = exports
    .command("create")
    .description("Ask for an export and wait until it is made.")
    .option("--user <who>", "of this user or service account, by id, email or name; default: yourself")
    .option("--whole-org", "of the whole organization")
    .option("--org <slug>", "in another organization")
    .option("--no-wait", "do not wait");
  actions.bind<CreateFlags>(create, async ({ client, flags, print, signal }) => {
    const berth = await client();
    const { user, wholeOrg, wait } = flags;
    const body =
      wholeOrg === true
        ? ({ scope: "org" } as const)
        : ({
            scope: "user",
            ...(user !== undefined && { userId: await principalId(berth, user) }),
          } as const);
    const asked = await berth.exports.create(body, { signal });
    const job = wait === false ? asked : await untilMade(berth, asked, signal);
    print(job, `${job.id}  ${job.status}${job.bytes === null ? "" : `  ${roughByteSize(job.bytes)}`}\n`);
  });
  bindList(actions, exports);
  bindDownload(actions, exports);
  bindDelete(actions, exports);
  return exports;
}

async function untilMade(berth: BerthClient, asked: ExportJob, signal: AbortSignal): Promise<ExportJob> {
  let job = asked;
  while (job.status === "queued" || job.status === "running") {
    await pause(500, undefined, { signal });
    job = await berth.exports.get(job.id, { signal });
  }
  if (job.status === "done") return job;
  throw new CliError(`The export was not made: ${safeText(job.error ?? job.status)}`);
}

function bindList(actions: Actions, exports: Command): void {
  const list = exports
    .command("list")
    .description("List exports, newest first.")
    .option("--org <slug>", "in another organization");
  actions.bind(list, async ({ client, printList, signal }) => {
    const { items } = await (await client()).exports.list({ limit: 100, signal });
    printList(items, columns, "There are no exports. Ask for one: ./berth exports create");
  });
}

const columns = {
  ID: ({ id }: ExportJob) => id,
  STATUS: ({ status }: ExportJob) => status,
  OF: ({ scope, userId }: ExportJob) => userId ?? scope,
  SIZE: ({ bytes }: ExportJob) => (bytes === null ? "-" : roughByteSize(bytes)),
  UNTIL: ({ expiresAt }: ExportJob) => expiresAt?.slice(0, 19).replace("T", " ") ?? "-",
};

function bindDownload(actions: Actions, exports: Command): void {
  const download = exports
    .command("download <id>")
    .description("Write an export's archive to a file.")
    .option("--to <file>", "default: its id and .zip")
    .option("--org <slug>", "in another organization");
  actions.bind<{ to?: string }>(download, async ({ client, args, flags, print, signal }) => {
    const [id = ""] = args;
    const to = flags.to ?? `${id.replaceAll(/[^\w-]/g, "")}.zip`;
    const draft = `${to}.part`;
    try {
      const file = createWriteStream(draft, { flags: "w", mode: 0o600 });
      await pipeline((await client()).exports.download(id, { signal }), file, { signal });
      await rename(draft, to);
    } catch (thrown) {
      await rm(draft, { force: true });
      throw thrown;
    }
    print({ id, file: to }, `${safeText(to)}\n`);
  });
}

function bindDelete(actions: Actions, exports: Command): void {
  const remove = exports
    .command("delete <id>")
    .description("Delete an export and its file.")
    .option("--org <slug>", "in another organization");
  actions.bind(remove, async ({ client, args, print, signal }) => {
    const [id = ""] = args;
    await (await client()).exports.delete(id, { signal });
    print({ deleted: id }, `Export ${safeText(id)} is deleted.\n`);
  });
}
