import { setTimeout as pause } from "node:timers/promises";
import type { Backup, BerthClient } from "@berth/client";
import { Command } from "commander";
import { roughByteSize } from "../lib/byte-size.ts";
import type { MadeBackup } from "../roles/offline-backup.ts";
import { configOf } from "./connection.ts";
import type { Actions, CommandContext } from "./context.ts";
import { CliError } from "./exit.ts";
import { readHolder } from "./lock-holder.ts";
import type { Printer } from "./terminal/io.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
A backup is one sealed file in backupDir. The server's keys are in none: keep server.keys (or BERTH_MASTER_KEY, BERTH_KEY_PEPPER,
BERTH_AUDIT_KEY) and BERTH_BACKUP_KEY somewhere else. Without them a backup cannot be opened.

Examples:
  ./berth backup                        of the server that runs, or of the folder that no server holds
  ./berth backup create --json          the same, for scripts
  ./berth backup list
  ./berth backup verify FILE            reads all of it and checks every byte
  ./berth restore FILE --data DIR       into an empty folder`;

export function backupCommand(actions: Actions): Command {
  const backup = new Command("backup")
    .description("Copy everything that a server keeps into one sealed file.")
    .addHelpText("after", examples);
  actions.bind(
    backup.command("create", { isDefault: true }).description("Make a backup, also while the server runs."),
    create,
  );
  bindList(actions, backup);
  bindVerify(actions, backup);
  return backup;
}

async function create(context: CommandContext<object>): Promise<void> {
  const { flags, io, print, printer, signal } = context;
  const { config } = configOf(flags, io.env);
  const progress = progressOn(printer);
  const isOnline = config.url !== null || (await readHolder(config.data)) !== null;
  const made = isOnline
    ? await online(await context.client(), signal, progress)
    : await offline(context, progress);
  progress.end();
  const { path, bytes, missingBlobs } = made;
  const damage =
    (missingBlobs ?? 0) > 0
      ? `${missingBlobs} stored files are missing in it, because they were damaged or missing before.\n`
      : "";
  print(made, `${safeText(path)}  ${roughByteSize(bytes ?? 0)}\n${damage}`);
}

async function online(client: BerthClient, signal: AbortSignal, progress: Progress): Promise<Backup> {
  let made = await client.backups.create({ signal });
  while (made.status === "running") {
    progress.show(made.progress);
    await pause(250, undefined, { signal });
    made = await client.backups.get(made.name, { signal });
  }
  if (made.status === "done") return made;
  throw new CliError(`The backup was not made: ${safeText(made.error ?? "for no known reason")}`);
}

async function offline(
  { flags, io, signal }: CommandContext<object>,
  progress: Progress,
): Promise<MadeBackup> {
  const { config } = configOf(flags, io.env);
  // Loads the database driver, which a backup of a running server does not need.
  const { backUpOffline } = await import("../roles/offline-backup.ts");
  return backUpOffline({ config, signal, onProgress: (record) => progress.show(record.progress) });
}

function bindList(actions: Actions, backup: Command): void {
  const list = backup.command("list").description("List the backups of the server that runs.");
  actions.bind(list, async ({ client, printList, signal }) => {
    const { items } = await (await client()).backups.list({ signal });
    printList(items, columns, "There are no backups. Make one: ./berth backup");
  });
}

const columns = {
  STARTED: ({ startedAt }: Backup) => startedAt.slice(0, 19).replace("T", " "),
  STATUS: ({ status }: Backup) => status,
  SIZE: ({ bytes }: Backup) => (bytes === null ? "-" : roughByteSize(bytes)),
  FILE: ({ path }: Backup) => path,
};

function bindVerify(actions: Actions, backup: Command): void {
  const verify = backup
    .command("verify <file>")
    .description("Read a whole backup and check it. Nothing is restored.")
    .option("--keys <file>", "the server.keys of the server that made it; default: those of the data folder");
  actions.bind<{ keys?: string }>(verify, async ({ args, flags, io, print, signal }) => {
    const { verifyBackup } = await import("../roles/restore.ts");
    const { config } = configOf(flags, io.env);
    const [file = ""] = args;
    const checked = await verifyBackup({ file, config, keysFile: flags.keys ?? null, signal });
    const { manifest, blobs, missingBlobs } = checked;
    const counts = Object.entries(manifest.counts).map(([name, count]) => `${count} ${name}`);
    print(
      { file, ...checked },
      `${safeText(file)} is whole: made ${manifest.createdAt} by Berth ${manifest.version}, ${counts.join(", ")}, ${blobs} files${missingBlobs > 0 ? `, ${missingBlobs} missing` : ""}.\n`,
    );
  });
}

interface Progress {
  show(progress: { readonly done: number; readonly total: number } | null): void;
  end(): void;
}

/** One line that is written over again, for people only. */
function progressOn({ interactive, err }: Printer): Progress {
  let shown = false;
  return {
    show(progress) {
      if (!interactive || progress === null || progress.total === 0) return;
      shown = true;
      const percent = Math.floor((100 * progress.done) / progress.total);
      err(`\r${percent} % of ${roughByteSize(progress.total)}   `);
    },
    end() {
      if (shown) err("\r\u001b[K");
    },
  };
}
