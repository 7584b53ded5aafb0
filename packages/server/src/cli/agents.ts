import { readFile } from "node:fs/promises";
import type { Agent, AgentDefinitionInput } from "@berth/client";
import { Command } from "commander";
import { collect } from "./collect.ts";
import type { Actions, CommandContext } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import { safeText } from "./terminal/safe-text.ts";

interface DefinitionFlags {
  readonly file?: string;
  readonly name?: string;
  readonly model?: string;
  readonly instructions?: string;
  readonly description?: string;
  readonly tools?: string;
  readonly mode?: string;
}

const examples = `
Examples:
  ./berth agents list
  ./berth agents show helper
  ./berth agents create --name helper --model openai/gpt-4.1-mini --tools "fs_*,bash_run"
  ./berth agents create --file agent.json        the definition as the API takes it; - reads standard input
  ./berth agents update helper --instructions "Answer briefly."
  ./berth agents archive helper`;

export function agentsCommand(actions: Actions): Command {
  const agents = new Command("agents").description("Show and change agents.").addHelpText("after", examples);
  const list = agents.command("list").description("List agents.").option("--archived", "the archived ones");
  actions.bind<{ archived?: boolean }>(list, async ({ client, flags, printList }) => {
    const found = (await client()).agents.all({ limit: 200, archived: flags.archived === true });
    printList(
      await collect(found),
      columns,
      "There are no agents yet. Make one: ./berth agents create --help",
    );
  });
  const show = agents.command("show <agent>").description("Show an agent by its name or id.");
  actions.bind(show, async ({ client, args, print, signal }) => {
    const agent = await (await client()).agents.get(args[0] ?? "", { signal });
    print(agent, () => safeText(`${JSON.stringify(agent, null, 2)}\n`));
  });
  const create = withDefinition(agents.command("create").description("Make an agent."));
  actions.bind<DefinitionFlags>(create, async (context) => {
    const definition = await definitionOf(context, {});
    printAgent(context, "created", await (await context.client()).agents.create(definition));
  });
  const update = withDefinition(
    agents.command("update <agent>").description("Make an agent's next version."),
  );
  actions.bind<DefinitionFlags>(update, async (context) => {
    if (definitionFlags.every((flag) => context.flags[flag] === undefined))
      throw new CliError("There is nothing to change: give --file or another option.", exit.usage);
    const client = await context.client();
    const agent = await client.agents.get(context.args[0] ?? "");
    const { id, version } = agent;
    const definition = await definitionOf(context, writable(agent));
    printAgent(context, "is now", await client.agents.update(id, definition, { ifVersion: version }));
  });
  const archive = agents
    .command("archive <agent>")
    .description("Let an agent start no new sessions.")
    .option("--undo", "let it again");
  actions.bind<{ undo?: boolean }>(archive, async (context) => {
    const client = await context.client();
    const { id } = await client.agents.get(context.args[0] ?? "");
    const undo = context.flags.undo === true;
    printAgent(
      context,
      undo ? "is back:" : "archived:",
      await client.agents.archive(id, { archived: !undo }),
    );
  });
  return agents;
}

const definitionFlags = ["file", "name", "model", "instructions", "description", "tools", "mode"] as const;

/** A definition without what only the server sets, so that what `show` prints can be given back. */
function writable(shown: Partial<Agent>): Partial<AgentDefinitionInput> {
  const { id: _i, version: _v, archived: _a, createdAt: _c, updatedAt: _u, ...definition } = shown;
  return definition;
}

const columns = {
  NAME: ({ name }: Agent) => name,
  VERSION: ({ version }: Agent) => String(version),
  MODEL: ({ model }: Agent) => model,
  TOOLS: ({ tools }: Agent) => tools.join(" ") || "-",
  ID: ({ id }: Agent) => id,
  DESCRIPTION: ({ description }: Agent) => description,
};

function withDefinition(command: Command): Command {
  return command
    .option("--file <json>", "the whole definition as JSON; - reads standard input")
    .option("--name <name>", "lower-case letters, digits and dashes")
    .option("--model <provider/model>", "the model that it thinks with")
    .option("--instructions <text>", "what it is told to be and do; @FILE reads a file")
    .option("--description <text>", "what it is for, told to agents that delegate to it")
    .option("--tools <names>", "comma-separated, * allowed: fs_*,bash_run")
    .option("--mode <mode>", "auto, approval or readonly: what it may do without asking");
}

async function definitionOf(
  { flags, io }: CommandContext<DefinitionFlags>,
  before: Partial<AgentDefinitionInput>,
): Promise<AgentDefinitionInput> {
  const read =
    flags.file === undefined ? {} : parseDefinition(await readText(flags.file, io.stdin), flags.file);
  const instructions = flags.instructions?.startsWith("@")
    ? await readText(flags.instructions.slice(1), io.stdin)
    : flags.instructions;
  const merged: Partial<AgentDefinitionInput> = {
    ...before,
    ...read,
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.model !== undefined && { model: flags.model }),
    ...(instructions !== undefined && { instructions }),
    ...(flags.description !== undefined && { description: flags.description }),
    ...(flags.tools !== undefined && { tools: flags.tools.split(",").map((tool) => tool.trim()) }),
  };
  if (flags.mode !== undefined) {
    merged.permissions = { ...merged.permissions, mode: flags.mode as "auto" };
  }
  if (merged.name === undefined || merged.model === undefined) {
    throw new CliError("An agent needs a name and a model: give --name and --model, or --file.", exit.usage);
  }
  return { ...merged, name: merged.name, model: merged.model };
}

async function readText(file: string, stdin: NodeJS.ReadableStream): Promise<string> {
  try {
    if (file !== "-") return await readFile(file, "utf8");
    let text = "";
    for await (const chunk of stdin.setEncoding("utf8")) text += String(chunk);
    return text;
  } catch (error) {
    throw new CliError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      exit.usage,
    );
  }
}

function parseDefinition(text: string, file: string): Partial<AgentDefinitionInput> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return writable(parsed);
  } catch {
    // Said below.
  }
  throw new CliError(
    `${file} holds no JSON object: write a definition as ./berth agents show prints it.`,
    exit.usage,
  );
}

function printAgent({ print, printer }: CommandContext<unknown>, verb: string, agent: Agent): void {
  for (const warning of agent.warnings ?? []) printer.err(`${safeText(warning)}\n`);
  print(agent, `Agent ${agent.name} ${verb} version ${agent.version} (${agent.id})\n`);
}
