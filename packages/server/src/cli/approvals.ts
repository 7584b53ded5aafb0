import type { Approval, DecideBody } from "@berth/client";
import { Command } from "commander";
import { collect } from "./collect.ts";
import type { Actions, CommandContext } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { exactJson, oneLine, safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth approvals list
  ./berth approvals show apr_…                   the exact arguments
  ./berth approvals allow apr_…
  ./berth approvals deny apr_… --note "Not on Fridays."
  ./berth approvals edit apr_… --input '{"command": "ls"}'`;

export function approvalsCommand(actions: Actions): Command {
  const approvals = new Command("approvals")
    .description("See and decide what agents ask for.")
    .addHelpText("after", examples);
  const list = approvals
    .command("list")
    .description("List what waits for a decision.")
    .option("--session <id>", "of one session")
    .option("--status <status>", "pending, allowed, denied, edited, expired or cancelled", "pending");
  actions.bind<{ session?: string; status: Approval["status"] }>(
    list,
    async ({ client, flags, printList }) => {
      const query = {
        limit: 200,
        status: flags.status,
        ...(flags.session !== undefined && { sessionId: flags.session }),
      };
      const found = await collect((await client()).approvals.all(query));
      printList(found, columns, "Nothing waits for a decision.");
    },
  );
  const show = approvals
    .command("show <id>")
    .description("Show what an agent asks for, with the exact arguments.");
  actions.bind(show, async ({ client, args, print, signal }) => {
    const approval = await (await client()).approvals.get(args[0] ?? "", { signal });
    print(approval, () => shown(approval));
  });
  const allow = approvals
    .command("allow <id>")
    .description("Let it happen.")
    .option("--note <text>", "kept with the decision");
  actions.bind<{ note?: string }>(allow, (context) =>
    decide(context, { decision: "allow", ...noteOf(context.flags) }),
  );
  const deny = approvals
    .command("deny <id>")
    .description("Forbid it.")
    .option("--note <text>", "told to the agent");
  actions.bind<{ note?: string }>(deny, (context) =>
    decide(context, { decision: "deny", ...noteOf(context.flags) }),
  );
  const edit = approvals
    .command("edit <id>")
    .description("Let it happen with other arguments.")
    .requiredOption("--input <json>", "the whole new arguments")
    .option("--note <text>", "kept with the decision");
  actions.bind<{ input: string; note?: string }>(edit, (context) =>
    decide(context, { decision: "edit", input: parseInput(context.flags.input), ...noteOf(context.flags) }),
  );
  return approvals;
}

const columns = {
  ID: ({ id }: Approval) => id,
  TOOL: ({ tool }: Approval) => tool,
  STATUS: ({ status }: Approval) => status,
  SESSION: ({ sessionId }: Approval) => sessionId,
  EXPIRES: ({ expiresAt }: Approval) => expiresAt,
  ARGUMENTS: ({ input }: Approval) => JSON.stringify(input),
};

function shown(approval: Approval): string {
  const { id, tool, status, sessionId, path, expiresAt, input, note, decidedBy } = approval;
  const lines = [
    `${id}  ${status}${decidedBy === null ? "" : ` by ${decidedBy}`}`,
    `tool     ${oneLine(tool, 80)}`,
    `session  ${sessionId}`,
    `asked by ${oneLine(path.join(" > "), 200)}`,
    `expires  ${expiresAt}`,
    ...(note === null ? [] : [`note     ${safeText(note)}`]),
    exactJson(input),
  ];
  return `${lines.join("\n")}\n`;
}

async function decide({ client, args, print }: CommandContext<unknown>, decision: DecideBody): Promise<void> {
  const approval = await (await client()).approvals.decide(args[0] ?? "", decision);
  print(approval, `${oneLine(approval.tool, 80)}: ${approval.status} (${approval.id})\n`);
}

function noteOf({ note }: { readonly note?: string }): { note?: string } {
  return note === undefined ? {} : { note };
}

function parseInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(
      "--input must be JSON: the whole arguments, as ./berth approvals show prints them.",
      exit.usage,
    );
  }
}
