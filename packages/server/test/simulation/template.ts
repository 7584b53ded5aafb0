import { type AgentDefinitionInput, agentDefinition } from "@berth/contract";
import { DatabaseSync } from "node:sqlite";
import { newId } from "../../src/lib/id.ts";
import { AppendHints } from "../../src/store/sqlite/append-hints.ts";
import { runBatch } from "../../src/store/sqlite/batch.ts";
import { BudgetOrgs } from "../../src/store/sqlite/budget-orgs.ts";
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
  readonly agentId: string;
  /** Instructions by `id@version`. */
  readonly editions: ReadonlyMap<string, string>;
  readonly epochMs: number;
}

const epochMs = Date.UTC(2030, 0, 1);

/** The agent of every session. `edition` is in its instructions, so that a call shows which version it was made with. */
export function mainAgent(edition: string, approvalMs: number) {
  return define({
    name: "main",
    instructions: `edition ${edition}`,
    subagents: ["helper"],
    clientTools: [
      {
        name: "pick",
        description: "The user picks.",
        inputSchema: { type: "object" },
        timeoutMs: approvalMs,
      },
    ],
    permissions: { mode: "auto", requireApproval: [...askingTools], approvalTimeoutMs: approvalMs },
  });
}

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
  install({ now: () => epochMs, elapsed: () => 0, random: draw, after: () => () => {} });
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
  const writing = { connection, hints: new AppendHints(), budgets: new BudgetOrgs() };
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
  const agentId = newId("agent", epochMs);
  const helper = define({
    name: "helper",
    permissions: { mode: "auto", requireApproval: [...askingTools], approvalTimeoutMs: 15_000 },
  });
  run("createAgent", { orgId, id: agentId, definition: mainAgent("first", 15_000) });
  run("createAgent", { orgId, id: newId("agent", epochMs), definition: helper });
  const image = connection.db.serialize();
  connection.close();
  return { image, orgId, agentId, epochMs, editions: new Map([[`${agentId}@1`, "edition first"]]) };
}
