import { BerthError } from "../../../lib/errors.ts";
import type { AgentRecord } from "../../records.ts";
import type { Outcome } from "../../store.ts";
import type { ArgsOf, WriteAgentArgs } from "../protocol.ts";
import { findAgentRecord } from "../queries/agents.ts";
import type { Transaction } from "../transaction.ts";
import { once } from "./idempotency.ts";

export function createAgent(tx: Transaction, args: WriteAgentArgs): Outcome<AgentRecord> {
  const { orgId, id, definition } = args;
  return once(tx, args, () => {
    refuseTakenName(tx, args);
    tx.sql(
      "INSERT INTO agents (org_id, id, name, version, created_at, updated_at) VALUES (?1, ?2, ?3, 1, ?4, ?4)",
    ).run(orgId, id, definition.name, tx.now);
    return insertVersion(tx, args, 1);
  });
}

export function putAgent(tx: Transaction, args: WriteAgentArgs): Outcome<AgentRecord> {
  const { orgId, id, definition, ifVersion } = args;
  return once(tx, args, () => {
    const current = tx
      .sql<{ version: number }>("SELECT version FROM agents WHERE org_id = ? AND id = ?")
      .get(orgId, id);
    if (current === undefined) throw new BerthError("agent_not_found", `There is no agent ${id}.`);
    if (ifVersion !== undefined && ifVersion !== current.version) {
      throw new BerthError(
        "version_mismatch",
        `Agent ${id} is at version ${current.version}, not ${ifVersion}: read it again and repeat the change.`,
        { details: { version: current.version } },
      );
    }
    refuseTakenName(tx, args);
    const version = current.version + 1;
    tx.sql("UPDATE agents SET name = ?, version = ?, updated_at = ? WHERE org_id = ? AND id = ?").run(
      definition.name,
      version,
      tx.now,
      orgId,
      id,
    );
    return insertVersion(tx, args, version);
  });
}

export function archiveAgent(
  tx: Transaction,
  { orgId, id, archived }: ArgsOf<"archiveAgent">,
): AgentRecord | null {
  tx.sql(
    "UPDATE agents SET archived = ?1, updated_at = ?2 WHERE org_id = ?3 AND id = ?4 AND archived <> ?1",
  ).run(archived ? 1 : 0, tx.now, orgId, id);
  return findAgentRecord(tx.sql, { orgId, id });
}

function refuseTakenName(tx: Transaction, { orgId, id, definition }: WriteAgentArgs): void {
  const other = tx
    .sql<{ id: string }>("SELECT id FROM agents WHERE org_id = ? AND name = ? AND id <> ?")
    .get(orgId, definition.name, id);
  if (other === undefined) return;
  throw new BerthError(
    "agent_name_taken",
    `There is an agent named ${definition.name} already: choose another name.`,
    {
      details: { agentId: other.id },
    },
  );
}

function insertVersion(
  tx: Transaction,
  { orgId, id, definition }: WriteAgentArgs,
  version: number,
): AgentRecord {
  tx.sql(
    "INSERT INTO agent_versions (org_id, agent_id, version, definition, created_at) VALUES (?, ?, ?, ?, ?)",
  ).run(orgId, id, version, JSON.stringify(definition), tx.now);
  const record = findAgentRecord(tx.sql, { orgId, id });
  if (record === null) throw new BerthError("internal", `agent ${id} was written and cannot be read`);
  return record;
}
