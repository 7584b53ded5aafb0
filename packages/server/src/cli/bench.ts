import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import type { Actions } from "./context.ts";
import { CliError, exit } from "./exit.ts";

export function benchCommand(actions: Actions): Command {
  const command = new Command("bench")
    .argument("[name]", "the bench to run; without it they are listed")
    .argument("[options...]", "the bench's own options")
    .description("Measure this machine, as npm run bench does.")
    .addHelpText(
      "after",
      "\nExamples:\n  ./berth bench                                  list them\n  ./berth bench turns",
    )
    .allowUnknownOption();
  return actions.bind(command, async ({ args, io, signal }) => {
    const script = join(import.meta.dirname, "../../../../scripts/bench.ts");
    if (!existsSync(script))
      throw new CliError("The benches are in the repository: run this from a checkout.", exit.usage);
    const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"], signal });
    child.stdout.pipe(io.stdout, { end: false });
    child.stderr.pipe(io.stderr, { end: false });
    const [code] = (await once(child, "close")) as [number | null];
    return code ?? exit.failed;
  });
}
