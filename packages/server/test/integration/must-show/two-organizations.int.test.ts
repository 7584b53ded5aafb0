import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newKeyText } from "../../../src/auth/server-keys.ts";
import { type ServerProcess, startServer } from "../../support/server/server-process.ts";

const root = join(import.meta.dirname, "../../../../..");
const main = join(root, "packages/server/src/main.ts");
const run = promisify(execFile);

const keys = {
  BERTH_ADMIN_KEY: newKeyText(),
  BERTH_MASTER_KEY: newKeyText(),
  BERTH_KEY_PEPPER: newKeyText(),
  BERTH_AUDIT_KEY: newKeyText(),
};

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-two-orgs-"));
  const env = {
    ...keys,
    PATH: process.env["PATH"] ?? "",
    BERTH_MODE: "multi",
    BERTH_OLLAMA_DISCOVERY: "false",
  };
  server = await startServer({ root, dataDir: join(folder, "data"), env, logFile: join(folder, "log") })
    .ready;
});

afterAll(async () => {
  await server.end("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** The real command line in a process of its own; as the operator unless a key is given. */
async function berth(args: readonly string[], apiKey?: string): Promise<string> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    BERTH_DATA: join(folder, "data"),
    ...(apiKey === undefined ? keys : { BERTH_API_KEY: apiKey }),
  };
  return (await run(process.execPath, [main, ...args], { env })).stdout;
}

async function json<T>(args: readonly string[], apiKey?: string): Promise<T> {
  return JSON.parse(await berth([...args, "--json"], apiKey)) as T;
}

/** An organization with an invited member and a program's key. */
async function organization(slug: string): Promise<string> {
  await berth(["org", "create", slug, "--owner", `owner@${slug}.example`]);
  expect(await berth(["user", "invite", `ada@${slug}.example`, "--org", slug, "--role", "member"])).toContain(
    "#",
  );
  await berth(["service-account", "create", "robot", "--org", slug, "--role", "admin"]);
  return (await json<{ key: string }>(["key", "create", "--for", "robot", "--org", slug])).key;
}

// Some twenty processes of the command line, one after another.
describe("two organizations at once on one server", { timeout: 120_000 }, () => {
  it("are made, take the tour of README, and see nothing of each other", async () => {
    const slugs = ["acme", "globex"];
    const apiKeys: string[] = [];
    for (const slug of slugs) apiKeys.push(await organization(slug));
    const tours = await Promise.all(
      apiKeys.map((key) => json<{ status: string; sessionId: string }>(["run", "Show me the tour"], key)),
    );
    expect(tours.map(({ status }) => status)).toEqual(["completed", "completed"]);
    for (const [index, key] of apiKeys.entries()) {
      const listed = await json<{ id: string }[]>(["sessions", "list"], key);
      expect(listed.map(({ id }) => id)).toEqual([tours[index]?.sessionId]);
      const others = tours[1 - index]?.sessionId ?? "";
      await expect(berth(["sessions", "tail", others, "--from-start"], key)).rejects.toMatchObject({
        stderr: expect.stringContaining(`There is no session ${others}`),
      });
    }
  });

  it("AUD-02: have audit logs whose first changed row is named", async () => {
    const before = await json<{ ok: boolean; unsealed: { count: number } }>([
      "audit",
      "verify",
      "--org",
      "acme",
    ]);
    expect(before).toMatchObject({ ok: true });
    await server.end("SIGTERM");
    const db = new DatabaseSync(join(folder, "data/berth.db"));
    const triggers = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_log'")
      .all();
    for (const { name } of triggers) db.exec(`DROP TRIGGER "${String(name)}"`);
    const org = db.prepare("SELECT id FROM orgs WHERE slug = 'acme'").get()?.["id"] ?? null;
    const row = db
      .prepare(
        "SELECT id, number FROM audit_log WHERE org_id = ? AND action = 'member.invited' OR org_id = ? AND number = 2 LIMIT 1",
      )
      .get(org, org);
    db.prepare("UPDATE audit_log SET actor_name = 'somebody else' WHERE id = ?").run(row?.["id"] ?? null);
    db.close();
    const told = await berth(["audit", "verify"]).then(
      () => "nothing was found",
      (error: { stdout: string }) => error.stdout,
    );
    expect(told).toContain(String(row?.["id"]));
    expect(told.match(/aud_/g)).toHaveLength(1);
  });
});
