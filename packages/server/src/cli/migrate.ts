import { Command } from "commander";
import { configOf } from "./connection.ts";
import type { Actions } from "./context.ts";

export function migrateCommand(actions: Actions): Command {
  const command = new Command("migrate")
    .description("Bring the store up to date without starting a server. A start does it too.")
    .addHelpText("after", "\nExample:\n  ./berth migrate --data /var/lib/berth");
  return actions.bind(command, async ({ flags, io, print }) => {
    const { config } = configOf(flags, io.env);
    // Loads the database driver, which no other command needs.
    const { migrateStore } = await import("../roles/migrate-store.ts");
    const { applied, newest } = migrateStore(config.data, Date.now());
    const done = applied === 0 ? "is up to date" : `was brought up to date (${applied} migrations)`;
    print(
      { data: config.data, applied, newest },
      `The store in ${config.data} ${done}: migration ${newest}.\n`,
    );
  });
}
