import { Command } from "commander";
import { configOf } from "./connection.ts";
import type { Actions } from "./context.ts";
import { safeText } from "./terminal/safe-text.ts";

interface RestoreFlags {
  readonly keys?: string;
  readonly acceptForeign?: boolean;
}

const notes = `
The folder has to be empty; server.keys, admin.key and berth.config.json may lie in it. Nothing of a backup counts before all of it
was checked. Runs that were open go on at the next start. Event cursors of before are refused, so clients read again. API keys that
were revoked after the backup work again. What was erased after it is erased again at the start, by erasures.jsonl beside the file.

Examples:
  ./berth restore berth-20261121T173000000Z.backup --data ./new --keys /safe/server.keys
  BERTH_BACKUP_KEY=… BERTH_MASTER_KEY=… BERTH_KEY_PEPPER=… BERTH_AUDIT_KEY=… ./berth restore FILE --data /var/lib/berth`;

export function restoreCommand(actions: Actions): Command {
  const command = new Command("restore")
    .argument("<file>")
    .description("Put a backup into an empty data folder.")
    .option("--keys <file>", "a copy of that server's server.keys; it is put into the folder")
    .option(
      "--accept-foreign",
      "also when the keys of that server are not here: its API keys and secrets are lost",
    )
    .addHelpText("after", notes);
  return actions.bind<RestoreFlags>(command, async ({ args, flags, io, print, signal }) => {
    const { config } = configOf(flags, io.env);
    // Loads the database driver.
    const { restoreBackup } = await import("../roles/restore.ts");
    const receipt = await restoreBackup({
      file: args[0] ?? "",
      config,
      keysFile: flags.keys ?? null,
      acceptForeign: flags.acceptForeign === true,
      now: Date.now(),
      signal,
    });
    const { data, sessions, blobs, missingBlobs, backupCreatedAt, erasures } = receipt;
    const again =
      erasures.length === 0 ? "" : `${erasures.length} erasures since are done again at the start.\n`;
    print(
      receipt,
      `Restored into ${safeText(data)} what there was ${backupCreatedAt}: ${sessions} sessions, ${blobs} files${missingBlobs > 0 ? ` (${missingBlobs} were missing)` : ""}.\n${again}Start it: npm start -- --data ${safeText(data)}\n`,
    );
  });
}
