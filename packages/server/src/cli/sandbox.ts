import { Command } from "commander";
import type { Actions } from "./context.ts";
import { bindSandboxChanges } from "./sandbox/change.ts";
import { bindSandboxExec } from "./sandbox/exec.ts";
import { bindAllocations, bindSandboxList } from "./sandbox/list.ts";
import { bindSandboxLogs, bindSandboxProcesses } from "./sandbox/logs.ts";
import { bindSandboxPorts } from "./sandbox/ports.ts";
import { bindSandboxShell } from "./sandbox/shell.ts";

const examples = `
Where a session is named its sandbox is meant, which it is given when it has none.

Examples:
  ./berth sandbox list
  ./berth sandbox show sbx_…
  ./berth sandbox create ses_…                   before a command needs it
  ./berth sandbox exec ses_… "ls -la && git status"
  ./berth sandbox exec ses_… --timeout 10m -- npm test
  ./berth sandbox exec ses_… --env A=1 --env B=2 env
  ./berth sandbox exec ses_… -d "npm run dev"    goes on, and prints its id
  ./berth sandbox shell                          in the one of yours that was used last
  ./berth sandbox shell ses_… < script.sh        no terminal: a script
  ./berth sandbox processes ses_…                which there are
  ./berth sandbox logs ses_… bg_… --follow
  ./berth sandbox kill ses_… bg_…
  ./berth sandbox ports ses_… --open 3000 --ttl 8h
  ./berth sandbox metrics ses_…
  ./berth sandbox destroy sbx_…                  files stay
  ./berth sandbox allocations --session ses_…    which sandboxes it had`;

export function sandboxCommand(actions: Actions): Command {
  const sandbox = new Command("sandbox")
    .description("See and use the sandboxes in which commands of sessions run.")
    .addHelpText("after", examples);
  bindSandboxList(actions, sandbox);
  bindSandboxChanges(actions, sandbox);
  bindSandboxExec(actions, sandbox);
  bindSandboxShell(actions, sandbox);
  bindSandboxPorts(actions, sandbox);
  bindSandboxProcesses(actions, sandbox);
  bindSandboxLogs(actions, sandbox);
  bindAllocations(actions, sandbox);
  return sandbox;
}
