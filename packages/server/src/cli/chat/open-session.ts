import { type AgentDefinitionInput, BerthApiError, type BerthClient, type Session } from "@berth/client";
import { CliError, exit } from "../exit.ts";

export interface OpenFlags {
  readonly agent?: string;
  readonly session?: string;
  readonly key?: string;
  readonly resume?: string | true;
  readonly model?: string;
}

/** The agent that is made when none is named. */
const defaultAgent = "assistant";

const instructions =
  "You are a helpful assistant. You work in a folder of your own and have tools for files, commands, the web and a list of todos. " +
  "Use them when they help, and say briefly what you did.";

/** The session to talk in: the one that was named, the newest, or a new one. `say` tells what was made. */
export async function openSession(
  client: BerthClient,
  flags: OpenFlags,
  say: (text: string) => void,
): Promise<Session> {
  const named = flags.session ?? (typeof flags.resume === "string" ? flags.resume : undefined);
  if (named !== undefined) return await withModel(client, await client.sessions.get(named), flags.model);
  if (flags.resume === true) return await withModel(client, await newest(client, flags.agent), flags.model);
  const agent = flags.agent ?? (await ensureDefaultAgent(client, flags.model, say));
  return await client.sessions.create({
    agent,
    ...(flags.key !== undefined && { key: flags.key }),
    ...(flags.model !== undefined && { model: flags.model }),
  });
}

async function newest(client: BerthClient, agent: string | undefined): Promise<Session> {
  const { items } = await client.sessions.list({ limit: 1, ...(agent !== undefined && { agent }) });
  const [session] = items;
  if (session === undefined)
    throw new CliError("There is no session to resume: start one without --resume.", exit.usage);
  return session;
}

async function withModel(client: BerthClient, session: Session, model: string | undefined): Promise<Session> {
  if (model === undefined || model === session.model) return session;
  const changed = await client.sessions.update(session.id, { model });
  return "status" in changed ? changed : session;
}

async function ensureDefaultAgent(
  client: BerthClient,
  model: string | undefined,
  say: (text: string) => void,
): Promise<string> {
  if (await hasDefaultAgent(client)) return defaultAgent;
  const chosen = model ?? (await defaultModel(client));
  const definition: AgentDefinitionInput = {
    name: defaultAgent,
    model: chosen,
    instructions,
    description: "Helps with anything, with every tool of the server.",
    tools: ["*"],
    // What stays in the session's own folder needs no asking.
    permissions: { mode: "approval", allow: ["fs_*", "todo_*", "delegate"] },
  };
  try {
    await client.agents.create(definition);
    say(
      `Made the agent "${defaultAgent}" with the model ${chosen} and every tool. Change it: ./berth agents update ${defaultAgent} --help`,
    );
  } catch (error) {
    // Another terminal was faster.
    if (!(error instanceof BerthApiError && error.code === "agent_name_taken")) throw error;
  }
  return defaultAgent;
}

/** Looked for in the list as long as that is one page: to ask for what is not there is a refused access in the audit log. */
async function hasDefaultAgent(client: BerthClient): Promise<boolean> {
  const { items, next } = await client.agents.list({ limit: 200 });
  if (items.some(({ name }) => name === defaultAgent)) return true;
  if (next === null) return false;
  try {
    await client.agents.get(defaultAgent);
    return true;
  } catch (error) {
    if (error instanceof BerthApiError && error.status === 404) return false;
    throw error;
  }
}

/** What the server is set to, else the first model of a real provider, else the demo. */
async function defaultModel(client: BerthClient): Promise<string> {
  const { items, default: set } = await client.models.list();
  const model = set ?? (items.find(({ demo }) => !demo) ?? items[0])?.name;
  if (model !== undefined) return model;
  throw new CliError(
    "The server has no model: set OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider, or give --model.",
  );
}
