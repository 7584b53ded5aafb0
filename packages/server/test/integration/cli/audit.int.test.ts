import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@berth/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { type Program, startProgram } from "../../../src/roles/program.ts";
import { createTestTerminal } from "../../support/test-terminal.ts";

let data = "";
let program: Program | null = null;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "berth-audit-cli-"));
});
afterEach(async () => {
  await program?.stop();
  program = null;
  await rm(data, { recursive: true, force: true });
});

async function start(): Promise<Program> {
  const env = { BERTH_OLLAMA_DISCOVERY: "false", BERTH_DRAIN_TIMEOUT: "0", BERTH_LOG_LEVEL: "silent" };
  program = await startProgram(loadConfig({ flags: { port: "0", data }, env, cwd: data }));
  return program;
}

async function berth(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = createTestTerminal({ env: {} });
  const code = await runCli([...args, "--data", data], terminal.io);
  return { code, out: terminal.out(), err: terminal.err() };
}

/** A server with a few entries in its log; its data folder is what the command line is given. */
async function withEntries(): Promise<void> {
  const { url, newAdminKey } = await start();
  const client = createClient({ baseUrl: url, apiKey: newAdminKey ?? "" });
  for (const name of ["one", "two", "three"]) await client.agents.create({ name, model: "demo/tour" });
  await client.agents.archive("two");
  await client.agents.get("nobody").catch(() => undefined);
}

function tamper(sql: string): void {
  const db = new DatabaseSync(join(data, "berth.db"));
  db.exec(`DROP TRIGGER audit_rows_stay; DROP TRIGGER audit_rows_stand; ${sql}`);
  db.close();
}

describe("berth audit", () => {
  it("lists, filters, exports and verifies what a server tells", async () => {
    await withEntries();
    const listed = await berth("audit", "list", "--action", "agent.");
    expect(listed.err).toBe("");
    expect(listed.out.match(/agent\.\w+/g)).toEqual([
      "agent.archived",
      "agent.created",
      "agent.created",
      "agent.created",
    ]);
    const refused = await berth("audit", "list", "--outcome", "refused", "--json");
    expect(JSON.parse(refused.out)).toMatchObject([
      {
        action: "access.refused",
        target: { type: "agent", id: "nobody" },
        details: { code: "agent_not_found" },
      },
    ]);
    const exported = (await berth("audit", "export")).out.trimEnd().split("\n");
    const actions = exported.map((line) => (JSON.parse(line) as { action: string }).action);
    expect(actions.slice(-6)).toEqual([
      "agent.created",
      "agent.created",
      "agent.created",
      "agent.archived",
      "access.refused",
      "audit.exported",
    ]);
    expect(await berth("audit", "verify")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^OK: \d+ entries/),
    });
  });

  it("AUD-02: verifies the folder of a stopped server, and names the entry that was changed by hand", async () => {
    await withEntries();
    await program?.stop();
    expect(await berth("audit", "verify", "--org", "default")).toMatchObject({ code: 0 });
    expect(await berth("audit", "verify", "--org", "elsewhere")).toMatchObject({
      code: 1,
      err: expect.stringContaining("There is no organization elsewhere"),
    });
    expect(await berth("audit", "verify")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^default {2}OK: \d+ entries are what was sealed\.\n$/),
    });
    tamper(`UPDATE audit_log SET actor_name = 'somebody else' WHERE action = 'agent.archived'`);
    const verdict = await berth("audit", "verify");
    expect(verdict.code).toBe(1);
    expect(verdict.out).toMatch(
      /NOT OK: entry \d+ \(aud_\w+\) does not say what it said when it was sealed\./,
    );
    const [found] = JSON.parse((await berth("audit", "verify", "--json")).out) as {
      firstBad: { why: string };
    }[];
    expect(found?.firstBad.why).toBe("changed");
  });

  it("AUD-02: finds that the newest entries were cut off, by the anchors beside the database", async () => {
    await withEntries();
    await program?.stop();
    tamper(`DELETE FROM audit_log WHERE number > 2; UPDATE audit_heads SET number = 2,
      mac = (SELECT mac FROM audit_log WHERE number = 2)`);
    expect((await berth("audit", "verify")).out).toContain(
      "NOT OK: entry 3 and what came after it is missing",
    );
  });

  it("needs the audit key, and a folder with data", async () => {
    expect(await berth("audit", "verify")).toMatchObject({ code: 1, err: expect.stringContaining("--data") });
    await withEntries();
    await program?.stop();
    await rm(join(data, "server.keys"));
    expect(await berth("audit", "verify")).toMatchObject({
      code: 1,
      err: expect.stringContaining("BERTH_AUDIT_KEY"),
    });
  });
});

describe("berth quota", () => {
  it("shows and sets quotas, one at a time", async () => {
    await start();
    expect((await berth("quota", "set", "sessions=5", "storedBytes=10MiB")).code).toBe(0);
    const shown = (await berth("quota", "set", "agents=none", "sessions=6")).out;
    expect(shown).toMatch(/sessions +6 +0 +for this organization/);
    expect(shown).toMatch(/storedBytes +10MiB +0B? +for this organization/);
    expect(shown).toMatch(/agents +none +0 +for this organization/);
    expect((await berth("quota", "set", "sessions=default")).out).toMatch(/sessions +none +0 +by default/);
    expect(await berth("quota", "set", "cakes=1")).toMatchObject({
      code: 2,
      err: expect.stringContaining("members"),
    });
    expect((await berth("quota", "show", "--json")).out).toContain('"storedBytes"');
  });
});
