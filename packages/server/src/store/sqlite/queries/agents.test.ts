import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openForWriting } from "../connection.ts";
import { knownMigrations, migrate } from "../migrate.ts";
import { findAgentRecord } from "./agents.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-agents-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("a definition that was written before agents had sandboxes asks for nothing special", () => {
  const connection = openForWriting(join(folder, "berth.db"));
  try {
    migrate(connection, knownMigrations(), 0);
    connection.sql("INSERT INTO orgs (id, name, created_at) VALUES ('org_a', 'a', 0)").run();
    const agent = "INSERT INTO agents (org_id, id, name, version, archived, created_at, updated_at)";
    connection.sql(`${agent} VALUES ('org_a', 'agt_a', 'old', 1, 0, 0, 0)`).run();
    const version = "INSERT INTO agent_versions (org_id, agent_id, version, definition, created_at)";
    connection.sql(`${version} VALUES ('org_a', 'agt_a', 1, '{"name":"old","tools":["fs_*"]}', 0)`).run();
    const found = findAgentRecord((text) => connection.sql(text), { orgId: "org_a", id: "agt_a" });
    expect(found?.definition).toEqual({ name: "old", tools: ["fs_*"], sandbox: { egress: [], secrets: [] } });
  } finally {
    connection.close();
  }
});
