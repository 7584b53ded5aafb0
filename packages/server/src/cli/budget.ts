import type { Budget, BudgetPeriod, BudgetScope, BudgetUnit, CreateBudgetInput } from "@berth/client";
import { Command, Option } from "commander";
import { collect } from "./collect.ts";
import type { Actions, CommandContext } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { inOrg } from "./identity/org-option.ts";
import { principalId } from "./identity/principal-id.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth budget create --limit 50usd --per month               of the whole organization; its runs wait at the limit
  ./berth budget create --user ada@acme.example --limit 2usd --per day --on-limit deny
  ./berth budget create --agent helper --limit 5000000tokens --per day --warn-at 0.8
  ./berth budget create --session ses_… --limit 1usd            in all
  ./berth budget list
  ./berth budget show bud_…
  ./berth budget raise bud_… --limit 80usd                      the runs that wait for it go on
  ./berth budget allow bud_… --run run_… --amount 2usd          only this run goes on
  ./berth budget remove bud_…`;

interface CreateFlags {
  readonly limit: string;
  readonly per: BudgetPeriod;
  readonly onLimit: "pause" | "deny" | "warn";
  readonly warnAt?: string;
  readonly user?: string;
  readonly agent?: string;
  readonly session?: string;
  readonly run?: string;
}

export function budgetCommand(actions: Actions): Command {
  const budget = new Command("budget").description("See and set what may be spent.");
  budget.addHelpText("after", examples);
  const create = inOrg(
    budget
      .command("create")
      .description("Set a budget: of the organization, or of the user, agent, session or run that is named.")
      .requiredOption("--limit <amount>", "such as 50usd or 5000000tokens")
      .addOption(new Option("--per <period>", "in UTC").choices(["day", "month", "total"]).default("total"))
      .addOption(
        new Option("--on-limit <what>", "the run waits, ends or goes on")
          .choices(["pause", "deny", "warn"])
          .default("pause"),
      )
      .option("--warn-at <share>", "share of the limit from which on runs are told, such as 0.8")
      .option("--user <who>", "of a user or a service account, by id, email or name")
      .option("--agent <name>", "of an agent, with its sub-agents")
      .option("--session <id>", "of a session")
      .option("--run <id>", "of a run"),
  );
  actions.bind<CreateFlags>(create, async (context) => {
    const wanted = budgetOf(context.flags);
    const client = await context.client();
    const { user } = context.flags;
    const target = user === undefined ? {} : { target: await principalId(client, user) };
    printOne(context, await client.budgets.create({ ...wanted, ...target }));
  });
  const list = inOrg(
    budget
      .command("list")
      .description("List budgets, with what is spent of them.")
      .option("--scope <scope>", "org, user, agent, session or run"),
  );
  actions.bind<{ scope?: BudgetScope }>(list, async ({ client, flags, printList }) => {
    const query = { limit: 200, ...(flags.scope !== undefined && { scope: flags.scope }) };
    const found = await collect((await client()).budgets.all(query));
    printList(found, columns, "There are no budgets. Set one: ./berth budget create --help");
  });
  const show = inOrg(budget.command("show <id>").description("Show one budget."));
  actions.bind(show, async (context) => {
    printOne(context, await (await context.client()).budgets.get(context.args[0] ?? ""));
  });
  const raise = inOrg(
    budget
      .command("raise <id>")
      .description("Change a budget's limit; the runs that wait for it look again.")
      .requiredOption("--limit <amount>", "such as 50usd or 5000000tokens"),
  );
  actions.bind<{ limit: string }>(raise, async (context) => {
    const client = await context.client();
    const id = context.args[0] ?? "";
    const limit = amountIn((await client.budgets.get(id)).unit, context.flags.limit);
    printOne(context, await client.budgets.update(id, { limit }));
  });
  const allow = inOrg(
    budget
      .command("allow <id>")
      .description("Let one run go on beyond a budget.")
      .requiredOption("--run <id>", "the run")
      .requiredOption("--amount <amount>", "how much more it may spend, such as 2usd"),
  );
  actions.bind<{ run: string; amount: string }>(allow, async (context) => {
    const client = await context.client();
    const id = context.args[0] ?? "";
    const amount = amountIn((await client.budgets.get(id)).unit, context.flags.amount);
    printOne(context, await client.budgets.allow(id, { runId: context.flags.run, amount }));
  });
  const remove = inOrg(
    budget.command("remove <id>").description("Remove a budget; the runs that wait for it go on."),
  );
  actions.bind(remove, async ({ client, args, print }) => {
    const id = args[0] ?? "";
    await (await client()).budgets.remove(id);
    print({ id }, `Removed ${safeText(id)}.\n`);
  });
  return budget;
}

const columns = {
  ID: ({ id }: Budget) => id,
  FOR: ({ scope, target }: Budget) => (target === null ? scope : `${scope} ${target}`),
  LIMIT: ({ limit, unit, period }: Budget) =>
    `${shown(limit, unit)}${period === "total" ? "" : ` a ${period}`}`,
  SPENT: ({ spent, unit }: Budget) => shown(spent, unit),
  RESERVED: ({ reserved, unit }: Budget) => shown(reserved, unit),
  "ON LIMIT": ({ onLimit }: Budget) => onLimit,
  WAITING: ({ waiting }: Budget) => String(waiting),
};

function printOne({ print }: CommandContext<unknown>, budget: Budget): void {
  const lines = Object.entries(columns).map(
    ([name, cell]) => `${name.toLowerCase().padEnd(9)} ${cell(budget)}`,
  );
  const resets = budget.resetsAt === null ? [] : [`resets    ${budget.resetsAt}`];
  print(budget, () => safeText(`${[...lines, ...resets].join("\n")}\n`));
}

function shown(amount: number, unit: BudgetUnit): string {
  return unit === "usd" ? `${amount.toFixed(amount < 1 ? 4 : 2)} usd` : `${amount} tokens`;
}

function budgetOf(flags: CreateFlags): CreateBudgetInput {
  const { limit, per: period, onLimit, warnAt } = flags;
  const named = (["user", "agent", "session", "run"] as const).filter((one) => flags[one] !== undefined);
  const [scope = "org", ...more] = named;
  if (more.length > 0)
    throw new CliError("Name one of --user, --agent, --session and --run, or none of them.", exit.usage);
  const target = scope === "org" ? undefined : flags[scope];
  return {
    ...parseAmount(limit),
    period,
    onLimit,
    scope,
    ...(target !== undefined && { target }),
    ...(warnAt !== undefined && { warnAt: Number(warnAt) }),
  };
}

function parseAmount(text: string): { limit: number; unit: BudgetUnit } {
  const [, digits = "", unit = ""] = /^([\d_]*\.?\d+)\s*(usd|\$|tokens)$/i.exec(text.trim()) ?? [];
  const limit = Number(digits.replaceAll("_", ""));
  if (unit === "" || !Number.isFinite(limit))
    throw new CliError(`${text} is no amount: write it as 50usd or as 5000000tokens.`, exit.usage);
  return { limit, unit: unit.toLowerCase() === "tokens" ? "tokens" : "usd" };
}

/** An amount in the budget's own unit, with or without naming it. */
function amountIn(unit: BudgetUnit, text: string): number {
  const parsed = /^[\d_]*\.?\d+$/.test(text) ? parseAmount(`${text}${unit}`) : parseAmount(text);
  if (parsed.unit === unit) return parsed.limit;
  throw new CliError(`This budget counts ${unit === "usd" ? "US dollars" : "tokens"}.`, exit.usage);
}
