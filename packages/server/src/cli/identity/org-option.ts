import type { Command } from "commander";

/** For whoever may act in several organizations: the operator, and people who are members of more than one. */
export function inOrg(command: Command): Command {
  return command.option("--org <slug>", "in another organization");
}
