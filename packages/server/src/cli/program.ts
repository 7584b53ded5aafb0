import type { Command } from "commander";
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
import { createRoot } from "./root-command.ts";

/** The table of all commands. */
export function createProgram(actions: Actions, io: Io): Command {
  return createRoot(io, [
    serveCommand(actions),
    chatCommand(actions),
    runCommand(actions),
    agentsCommand(actions),
    sessionsCommand(actions),
    approvalsCommand(actions),
    modelsCommand(actions),
    modelProvidersCommand(actions),
    toolsCommand(actions),
    userConfigCommand(actions),
    vaultCommand(actions),
    loginCommand(actions),
    orgCommand(actions),
    userCommand(actions),
    roleCommand(actions),
    serviceAccountCommand(actions),
    keyCommand(actions),
    quotaCommand(actions),
    budgetCommand(actions),
    usageCommand(actions),
    auditCommand(actions),
    sandboxCommand(actions),
    sandboxHostCommand(actions),
    secretsCommand(actions),
    doctorCommand(actions),
    configCommand(actions),
    migrateCommand(actions),
    backupCommand(actions),
    restoreCommand(actions),
    exportsCommand(actions),
    erasuresCommand(actions),
    benchCommand(actions),
  ]);
}
