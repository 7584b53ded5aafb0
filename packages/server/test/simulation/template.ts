import { type AgentDefinitionInput, agentDefinition } from "@berth/contract";
import { DatabaseSync } from "node:sqlite";
import { newId } from "../../src/lib/id.ts";
import { runBatch, startWriting } from "../../src/store/sqlite/batch.ts";
import { Connection } from "../../src/store/sqlite/connection.ts";
import { knownMigrations, migrate } from "../../src/store/sqlite/migrate.ts";
import type { ArgsOf, OperationCall, OperationName, ResultOf } from "../../src/store/sqlite/protocol.ts";
import { createRandom } from "../chaos/random.ts";
import { freshIds } from "./engine/fresh-ids.ts";
import { install } from "./engine/virtual-globals.ts";
import { askingTools, freeTools } from "./ports/tools.ts";

/** A database with an organization and its agents, as every world begins with it. */
export interface Template {
  readonly image: Uint8Array;
  readonly orgId: string;
  readonly agentIds: { readonly main: string; readonly helper: string };
  readonly epochMs: number;
}

const epochMs = Date.UTC(2030, 0, 1);

export interface Edition {
  /** It is in the instructions, so that a call shows which version it was made with. */
  readonly edition: string;
  readonly approvalMs: number;
  /** One more tool asks: a call shows by which version it was judged. */
  readonly strict: boolean;
}

/** The agent of every session. */
export function mainAgent({ edition, approvalMs, strict }: Edition) {
  return define({
    name: "main",
    instructions: `edition main ${edition}`,
    subagents: ["helper"],
    clientTools: [
      {
        name: "pick",
        description: "The user picks.",
        inputSchema: { type: "object" },
        timeoutMs: approvalMs,
      },
    ],
    permissions: { mode: "auto", requireApproval: askingOf(strict), approvalTimeoutMs: approvalMs },
  });
}

/** The one that works for others. */
export function helperAgent({ edition, approvalMs, strict }: Edition) {
  return define({
    name: "helper",
    instructions: `edition helper ${edition}`,
    permissions: { mode: "auto", requireApproval: askingOf(strict), approvalTimeoutMs: approvalMs },
  });
}

const askingOf = (strict: boolean) => [...askingTools, ...(strict ? ["fire"] : [])];

function define(definition: AgentDefinitionInput | Omit<AgentDefinitionInput, "model">) {
  return agentDefinition.parse({ model: "sim/model", tools: [...freeTools, ...askingTools], ...definition });
}

/** The same bytes in every process. */
export function makeTemplate(): Template {
  const random = createRandom("template");
  let drawn = 0;
  const draw = () => {
    drawn += 1;
    return random.next();
  };
  install({ now: () => epochMs, elapsed: () => 0, random: draw, after: () => () => {}, combined() {} });
  try {
    freshIds(() => drawn);
    return buildTemplate();
  } finally {
    install(null);
  }
}

function buildTemplate(): Template {
  const connection = new Connection(new DatabaseSync(":memory:"));
  migrate(connection, knownMigrations(), epochMs);
  const writing = startWriting(connection);
  function run<K extends OperationName>(name: K, args: ArgsOf<K>): ResultOf<K> {
    const [reply] = runBatch(writing, [{ name, args } as OperationCall], { now: epochMs, steady: 0 }).replies;
    if (reply?.ok !== true) throw new Error(`${name} failed: ${reply?.error.message}`);
    return reply.value as ResultOf<K>;
  }
  const { orgId } = run("singleTenant", {
    orgId: newId("org", epochMs),
    orgName: "default",
    userId: newId("user", epochMs),
    userName: "owner",
  });
  const agentIds = { main: newId("agent", epochMs), helper: newId("agent", epochMs) };
  const first = { edition: "first", approvalMs: 15_000, strict: false };
  run("createAgent", { orgId, id: agentIds.main, definition: mainAgent(first) });
  run("createAgent", { orgId, id: agentIds.helper, definition: helperAgent(first) });
  const image = connection.db.serialize();
  connection.close();
  return { image, orgId, agentIds, epochMs };
}
