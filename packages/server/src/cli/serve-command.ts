import { Command } from "commander";
import { settingFlags } from "../config/schema.ts";
import type { Actions } from "./context.ts";

/** These are every command's. */
const globalNames: readonly string[] = ["url", "data", "config", "ca", "clientCert", "clientKey"];

export function serveCommand(actions: Actions): Command {
  const command = new Command("serve").description("Start the server.").addHelpText(
    "after",
    `
Examples:
  ./berth serve
  ./berth serve --port 8080 --data /var/lib/berth
  npm start -- --port 7420 --data DIR

Every setting can also stand in the environment or in a file: see ./berth config docs.`,
  );
  for (const { name, flag, help } of settingFlags()) {
    if (!globalNames.includes(name)) command.option(flag, help);
  }
  return command.action(async () => {
    // The server minds signals by itself, so this command has no context of its own.
    const { serve } = await import("./serve.ts");
    actions.end(await serve(command.optsWithGlobals()));
  });
}
