import { Command } from "commander";
import { agentsCommand } from "./agents.ts";
import { approvalsCommand } from "./approvals.ts";
import { backupCommand } from "./backup.ts";
import { auditCommand } from "./audit.ts";
import { benchCommand } from "./bench.ts";
import { budgetCommand } from "./budget.ts";
import { chatCommand } from "./chat.ts";
import { configCommand } from "./config.ts";
import type { Actions } from "./context.ts";
import { doctorCommand } from "./doctor.ts";
import { erasuresCommand } from "./erasures.ts";
import { exportsCommand } from "./exports.ts";
import { keyCommand } from "./key.ts";
import { loginCommand } from "./login.ts";
import { migrateCommand } from "./migrate.ts";
import { modelProvidersCommand } from "./model-providers.ts";
import { modelsCommand } from "./models.ts";
import { passExamplesDown } from "./own-examples.ts";
import { orgCommand } from "./org.ts";
import { restoreCommand } from "./restore.ts";
import { quotaCommand } from "./quota.ts";
import { roleCommand } from "./role.ts";
import { runCommand } from "./run.ts";
import { sandboxCommand } from "./sandbox.ts";
import { sandboxHostCommand } from "./sandbox-host.ts";
import { secretsCommand } from "./secrets.ts";
import { serveCommand } from "./serve-command.ts";
import { serviceAccountCommand } from "./service-account.ts";
import { sessionsCommand } from "./sessions.ts";
import type { Io } from "./terminal/io.ts";
import { toolsCommand } from "./tools.ts";
import { userCommand } from "./user.ts";
import { userConfigCommand } from "./user-config.ts";
import { vaultCommand } from "./vault.ts";
import { usageCommand } from "./usage.ts";
import { version } from "../roles/version.ts";

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

/** The table of all commands. */
export function createProgram(actions: Actions, io: Io): Command {
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
  program.addCommand(serveCommand(actions));
  program.addCommand(chatCommand(actions));
  program.addCommand(runCommand(actions));
  program.addCommand(agentsCommand(actions));
  program.addCommand(sessionsCommand(actions));
  program.addCommand(approvalsCommand(actions));
  program.addCommand(modelsCommand(actions));
  program.addCommand(modelProvidersCommand(actions));
  program.addCommand(toolsCommand(actions));
  program.addCommand(userConfigCommand(actions));
  program.addCommand(vaultCommand(actions));
  program.addCommand(loginCommand(actions));
  program.addCommand(orgCommand(actions));
  program.addCommand(userCommand(actions));
  program.addCommand(roleCommand(actions));
  program.addCommand(serviceAccountCommand(actions));
  program.addCommand(keyCommand(actions));
  program.addCommand(quotaCommand(actions));
  program.addCommand(budgetCommand(actions));
  program.addCommand(usageCommand(actions));
  program.addCommand(auditCommand(actions));
  program.addCommand(sandboxCommand(actions));
  program.addCommand(sandboxHostCommand(actions));
  program.addCommand(secretsCommand(actions));
  program.addCommand(doctorCommand(actions));
  program.addCommand(configCommand(actions));
  program.addCommand(migrateCommand(actions));
  program.addCommand(backupCommand(actions));
  program.addCommand(restoreCommand(actions));
  program.addCommand(exportsCommand(actions));
  program.addCommand(erasuresCommand(actions));
  program.addCommand(benchCommand(actions));
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
