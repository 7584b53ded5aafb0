import { Command } from "commander";
import type { Actions } from "./context.ts";
import { bindSessionCreate } from "./sessions/create.ts";
import { bindSessionChanges } from "./sessions/change.ts";
import { bindSessionExport } from "./sessions/export.ts";
import { bindSessionFiles } from "./sessions/files.ts";
import { bindSessionList } from "./sessions/list.ts";
import { bindSessionSharing } from "./sessions/share.ts";
import { bindSessionTail } from "./sessions/tail.ts";

const examples = `
Examples:
  ./berth sessions list --agent assistant
  ./berth sessions create --agent assistant --key build-42
  ./berth sessions show ses_…
  ./berth sessions tail ses_… --from-start       everything, and then what comes
  ./berth sessions export ses_… > log.jsonl
  ./berth sessions files archive ses_… --to work.tar.gz
  ./berth sessions fork ses_… --seq 12
  ./berth sessions rewind ses_… 12               undo everything after event 12
  ./berth sessions archive ses_… --undo          take it out of the archive
  ./berth sessions delete ses_… --yes
  ./berth sessions release ses_…                 run again what was quarantined
  ./berth sessions share ses_… --expires 7d      a link that anybody can read it with
  ./berth sessions shares ses_…                  who was given one`;

export function sessionsCommand(actions: Actions): Command {
  const sessions = new Command("sessions")
    .description("See, watch and change sessions.")
    .addHelpText("after", examples);
  bindSessionList(actions, sessions);
  bindSessionCreate(actions, sessions);
  bindSessionTail(actions, sessions);
  bindSessionExport(actions, sessions);
  bindSessionFiles(actions, sessions);
  bindSessionChanges(actions, sessions);
  bindSessionSharing(actions, sessions);
  return sessions;
}
