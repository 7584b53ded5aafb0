import { Command } from "commander";
import { version } from "../roles/version.ts";
import { passExamplesDown } from "./own-examples.ts";
import type { Io } from "./terminal/io.ts";

const examples = `
Examples:
  ./berth serve                                  start the server
  ./berth chat                                   talk with an agent
  ./berth chat "What is in this folder?"         one message, its answer, and out
  ./berth run "Write a haiku to haiku.txt" --json
  ./berth sessions tail ses_…                    watch a session
  ./berth approvals list                         what waits for a decision

The key: BERTH_API_KEY, else for a server on this machine BERTH_ADMIN_KEY, else the admin.key of the data folder (--data), for the
server that holds it.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server, 130 interrupted.`;

/** The program with what is every command's; its commands read and write as told. */
export function createRoot(io: Io, commands: readonly Command[]): Command {
  const program = new Command("./berth")
    .description("A self-hosted server for AI agents.")
    .version(version, "-V, --version", "the version of this program")
    .option(
      "--url <url>",
      "the server to talk to (BERTH_URL); default: the one that holds the data folder, else http://127.0.0.1:7420",
    )
    .option(
      "--data <folder>",
      "the data folder, where admin.key is found (BERTH_DATA); default: ./berth-data",
    )
    .option("--config <file>", "the configuration file (BERTH_CONFIG)")
    .option("--ca <file>", "the authority of the server's certificate, as PEM (BERTH_CA)")
    .option("--client-cert <file>", "a certificate to show to the server, as PEM (BERTH_CLIENT_CERT)")
    .option("--client-key <file>", "its private key, as PEM (BERTH_CLIENT_KEY)")
    .option("--json", "machine-readable output")
    .option("--no-color", "plain text, also on a terminal")
    .addHelpText("after", examples);
  for (const command of commands) program.addCommand(command);
  passExamplesDown(program);
  // Settings are not inherited by commands that are made elsewhere.
  for (const command of [program, ...everyCommand(program)]) {
    command.exitOverride().showHelpAfterError("(add --help to see what it takes)");
    command.configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  }
  return program;
}

function everyCommand(command: Command): readonly Command[] {
  return command.commands.flatMap((one) => [one, ...everyCommand(one)]);
}
