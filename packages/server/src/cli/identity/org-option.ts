import type { Command } from "commander";

/** What a next command needs to reach the same organization: ` --org acme`, or nothing. */
export function andOrg({ org }: { readonly org?: string }): string {
  return org === undefined ? "" : ` --org ${org}`;
}

/** For whoever may act in several organizations: the operator, and people who are members of more than one. */
export function inOrg(command: Command): Command {
  return command.option("--org <slug>", "in another organization");
}
