import { once } from "node:events";
import type { Command } from "commander";
import type { Actions } from "../context.ts";

export function bindSessionExport(actions: Actions, sessions: Command): void {
  const command = sessions
    .command("export <id>")
    .description("Write a session's whole log, one JSON event a line.");
  actions.bind(command, async ({ client, args, io, signal }) => {
    for await (const line of (await client()).sessions.export(args[0] ?? "", { signal })) {
      if (!io.stdout.write(`${line}\n`)) await once(io.stdout, "drain", { signal });
    }
  });
}
