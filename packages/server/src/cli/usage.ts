import type { UsageGroup, UsageQuery, UsageSum } from "@berth/client";
import { Command, Option } from "commander";
import { collect } from "./collect.ts";
import type { Actions } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { inOrg } from "./identity/org-option.ts";
import { principalId } from "./identity/principal-id.ts";

const examples = `
Examples:
  ./berth usage                                  the last 30 days, day by day
  ./berth usage --by user --from 2026-11-01
  ./berth usage --by model --agent helper
  ./berth usage --by run --session ses_…         what each run of a session used
  ./berth usage --by tool --json

One's own sessions; with the permission usage:read the whole organization. A "+?" after dollars: some calls went to models without a
known price.`;

const groups: readonly UsageGroup[] = ["day", "user", "agent", "model", "tool", "session", "run"];

interface UsageFlags {
  readonly by: UsageGroup;
  readonly from?: string;
  readonly until?: string;
  readonly user?: string;
  readonly agent?: string;
  readonly model?: string;
  readonly tool?: string;
  readonly session?: string;
}

export function usageCommand(actions: Actions): Command {
  const usage = inOrg(
    new Command("usage")
      .description("See what was used: tokens, dollars, calls.")
      .addOption(new Option("--by <group>", "one line for each").choices(groups).default("day"))
      .option("--from <day>", "first day, UTC; default: 30 days ago")
      .option("--until <day>", "the end, itself not included; default: now")
      .option("--user <who>", "of the sessions of one user or service account, by id, email or name")
      .option("--agent <name>", "of one agent")
      .option("--model <name>", "of one model")
      .option("--tool <name>", "of one tool")
      .option("--session <id>", "of one session"),
  );
  usage.addHelpText("after", examples);
  actions.bind<UsageFlags>(usage, async ({ client, flags, printList }) => {
    const { by, session, user } = flags;
    if ((by === "session" || by === "run") && session === undefined)
      throw new CliError(`--by ${by} needs the session: add --session ses_…`, exit.usage);
    const berth = await client();
    const named = user === undefined ? flags : { ...flags, user: await principalId(berth, user) };
    const found = await collect(berth.usage.all(queryOf(named)));
    printList(found, columnsOf(flags.by), "Nothing was used.");
  });
  return usage;
}

function queryOf({ by, session, ...filter }: UsageFlags): UsageQuery {
  const { from, until, user, agent, model, tool } = filter;
  return {
    limit: 200,
    groupBy: by,
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    ...(user !== undefined && { user }),
    ...(agent !== undefined && { agent }),
    ...(model !== undefined && { model }),
    ...(tool !== undefined && { tool }),
    ...(session !== undefined && { sessionId: session }),
  };
}

function columnsOf(by: UsageGroup): Readonly<Record<string, (sum: UsageSum) => string>> {
  return {
    [by.toUpperCase()]: ({ key, name }) => (name === null ? key : name),
    CALLS: ({ modelCalls }) => String(modelCalls),
    TOOLS: ({ toolCalls }) => String(toolCalls),
    FAILED: ({ failedCalls }) => String(failedCalls),
    IN: ({ usage }) => String(usage.inputTokens),
    CACHED: ({ usage }) => String(usage.cacheReadTokens),
    OUT: ({ usage }) => String(usage.outputTokens),
    USD: ({ cost, unpricedCalls }) => `${cost.toFixed(4)}${unpricedCalls > 0 ? " +?" : ""}`,
    SECONDS: ({ durationMs }) => (durationMs / 1_000).toFixed(1),
  };
}
