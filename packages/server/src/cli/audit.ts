import { once } from "node:events";
import type { AuditEntry, AuditQuery } from "@berth/client";
import { Command } from "commander";
import { bindAuditVerify } from "./audit/verify.ts";
import type { Actions } from "./context.ts";
import { inOrg } from "./identity/org-option.ts";
import { oneLine } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth audit list --action member.            what happened to members
  ./berth audit list --actor usr_… --from 2026-11-01T00:00:00Z
  ./berth audit list --outcome refused           who was refused what
  ./berth audit export > audit.jsonl
  ./berth audit verify                           by the server that runs
  ./berth audit verify --data ./berth-data       of a server that is stopped`;

export function auditCommand(actions: Actions): Command {
  const audit = new Command("audit").description("See who changed what, and check that nobody changed that.");
  audit.addHelpText("after", examples);
  const list = which(audit.command("list").description("List entries, newest first.")).option(
    "--limit <count>",
    "at most so many",
    "50",
  );
  actions.bind<AuditQuery & { readonly limit: string }>(
    list,
    async ({ client, flags, printList, signal }) => {
      const query = { ...queryOf(flags), limit: Number(flags.limit), signal };
      const { items } = await (await client()).audit.list(query);
      printList(items, columns, "No entry is like that.");
    },
  );
  const write = which(
    audit.command("export").description("Write entries as JSON, one a line, oldest first."),
  );
  actions.bind<AuditQuery>(write, async ({ client, flags, io, signal }) => {
    for await (const line of (await client()).audit.export(queryOf(flags), { signal })) {
      if (!io.stdout.write(`${line}\n`)) await once(io.stdout, "drain", { signal });
    }
  });
  bindAuditVerify(actions, audit);
  return audit;
}

function which(command: Command): Command {
  return inOrg(
    command
      .option("--actor <id>", "of a user or service account")
      .option("--action <action>", "agent.created, or agent. for all of agents")
      .option("--target <id>", "what was changed")
      .option("--outcome <outcome>", "done or refused")
      .option("--from <time>", "from this time on, such as 2026-11-01T00:00:00Z")
      .option("--to <time>", "before this time"),
  );
}

function queryOf({ actor, action, target, outcome, from, to }: AuditQuery): AuditQuery {
  return {
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(target !== undefined && { target }),
    ...(outcome !== undefined && { outcome }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

const columns = {
  AT: ({ at }: AuditEntry) => at.slice(0, 19).replace("T", " "),
  ACTOR: actorOf,
  ACTION: ({ action }: AuditEntry) => oneLine(action, 32),
  TARGET: ({ target }: AuditEntry) => (target === null ? "-" : oneLine(target.id, 40)),
  FROM: ({ address }: AuditEntry) => address ?? "-",
  DETAILS: ({ details }: AuditEntry) => oneLine(detailText(details), 80),
};

/** Whoever came with the admin key is the operator, whatever its account in the server's own organization is called. */
function actorOf({ actor, credential }: AuditEntry): string {
  if (credential?.startsWith("admin_key:") === true) return "the operator";
  return oneLine(actor.name === "" ? actor.id : actor.name, 24);
}

function detailText(details: AuditEntry["details"]): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}
