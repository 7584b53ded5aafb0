import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@berth/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/index.ts";
import { findServerKeys } from "../../../src/auth/server-keys.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { type Program, startProgram } from "../../../src/roles/program.ts";
import { writeBackup } from "../../../src/store/backup/write-backup.ts";
import { createTestTerminal } from "../../support/test-terminal.ts";

const secret = (area: string) => `CANARY_${area}_${randomBytes(24).toString("hex")}`;
const adminKey = secret("admin");
const keys = {
  BERTH_MASTER_KEY: secret("master"),
  BERTH_KEY_PEPPER: secret("pepper"),
  BERTH_AUDIT_KEY: secret("audit"),
};
const quiet = {
  BERTH_PROVIDERS: JSON.stringify([{ name: "scripted", kind: "scripted" }]),
  BERTH_OLLAMA_DISCOVERY: "false",
  BERTH_LOG_LEVEL: "silent",
  BERTH_DRAIN_TIMEOUT: "0",
  BERTH_ADMIN_KEY: adminKey,
};
type Env = Readonly<Record<string, string>>;

describe("backup and restore", () => {
  let folder = "";
  const running: Program[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-restore-"));
  });
  afterEach(async () => {
    for (const program of running.splice(0)) await program.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const at = (name: string) => join(folder, name);

  async function start(data: string, env: Env): Promise<Program> {
    const flags = { data, port: "0" };
    const program = await startProgram(loadConfig({ flags, env: { ...quiet, ...env }, cwd: folder }));
    running.push(program);
    return program;
  }

  async function stop(program: Program): Promise<void> {
    running.splice(running.indexOf(program), 1);
    await program.stop();
  }

  async function berth(args: readonly string[], env: Env) {
    const terminal = createTestTerminal({ env: { BERTH_ADMIN_KEY: adminKey, ...env } });
    const code = await runCli([...args], terminal.io);
    return { code, out: terminal.out(), err: terminal.err() };
  }

  const clientOf = ({ url }: Program) => createClient({ baseUrl: url, apiKey: adminKey });

  /** A server with a conversation that wrote a file, and a backup of it made while it ran. */
  async function backedUp(env: Env) {
    const program = await start(at("data"), env);
    const client = clientOf(program);
    await client.agents.create({ name: "writer", model: "scripted/script", permissions: { mode: "auto" } });
    const session = await client.sessions.create({ agent: "writer", title: "kept" });
    const handle = client.session(session.id);
    const write = [{ tool: "fs_write", input: { path: "notes.txt", content: "what was noted" } }];
    await handle.run({ text: JSON.stringify({ script: [write, [{ text: "done" }]] }) });
    const made = await berth(["backup", "--data", at("data"), "--json"], env);
    expect([made.code, made.err]).toEqual([0, ""]);
    const { path: file } = JSON.parse(made.out) as { path: string };
    const cursor = `${(await handle.get()).generation}.2`;
    return { program, client, session, file, cursor };
  }

  const restore = (file: string, to: string, env: Env, ...more: readonly string[]) =>
    berth(["restore", file, "--data", at(to), "--json", ...more], env);

  it("gives back sessions, logs and files; cursors of before are refused", async () => {
    const { program, client, session, file, cursor } = await backedUp(keys);
    const log = await collect(client.sessions.export(session.id));
    await stop(program);
    const restored = await restore(file, "new", keys);
    expect([restored.code, restored.err]).toEqual([0, ""]);
    const receipt = JSON.parse(restored.out) as Record<string, unknown>;
    expect(receipt).toMatchObject({ sessions: 1, missingBlobs: 0, keys: "the same" });
    expect(JSON.parse(await readFile(join(at("new"), "restored.json"), "utf8"))).toEqual(receipt);
    const again = clientOf(await start(at("new"), keys));
    expect(await collect(again.sessions.export(session.id))).toEqual(log);
    const { generation } = await again.sessions.get(session.id);
    expect(generation).toBe(receipt["generation"]);
    const url = `${running.at(-1)?.url}/api/v1/sessions/${session.id}/events?after=${cursor}`;
    const refused = await fetch(url, { headers: { authorization: `Bearer ${adminKey}` } });
    expect([refused.status, await refused.json()]).toEqual([
      409,
      expect.objectContaining({ code: "cursor_invalid" }),
    ]);
    // The workspace comes back from its newest manifest, and the session goes on.
    const read = [{ tool: "fs_read", input: { path: "notes.txt" } }];
    const script = { script: [read, [{ text: "read" }]] };
    const turn = await again.session(session.id).run({ text: JSON.stringify(script) });
    expect(JSON.stringify(turn)).toContain("read");
    const events = (await collect(again.sessions.export(session.id))).join("\n");
    expect(events).toContain("what was noted");
    expect(await readdir(at("new"))).not.toContain("restoring");
  });

  it("DAT-01: shows nothing of what it holds, and no key is in it", async () => {
    const { file } = await backedUp(keys);
    const bytes = await readFile(file);
    for (const text of ["what was noted", "kept", "writer", adminKey, ...Object.values(keys)])
      expect(bytes.includes(text)).toBe(false);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const checked = await berth(["backup", "verify", file, "--json"], keys);
    expect([checked.code, JSON.parse(checked.out)]).toMatchObject([
      0,
      { manifest: { counts: { sessions: 1 } } },
    ]);
  });

  it("DAT-02: is refused into a folder with data, over a running server, changed, or with another key", async () => {
    const { program, file } = await backedUp(keys);
    const running_ = await restore(file, "data", keys);
    expect([running_.code, codeOf(running_)]).toEqual([1, "data_dir_in_use"]);
    await stop(program);
    expect(codeOf(await restore(file, "data", keys))).toBe("restore_not_empty");
    const other = { ...keys, BERTH_MASTER_KEY: secret("other") };
    expect(codeOf(await restore(file, "new", other))).toBe("backup_wrong_key");
    const bytes = await readFile(file);
    const changed = at("changed.backup");
    bytes.writeUInt8(bytes.readUInt8(bytes.byteLength >> 1) ^ 4, bytes.byteLength >> 1);
    await writeFile(changed, bytes);
    expect(codeOf(await restore(changed, "new", keys))).toBe("backup_damaged");
    await writeFile(changed, bytes.subarray(0, bytes.byteLength - 40));
    expect(codeOf(await restore(changed, "new", keys))).toBe("backup_damaged");
    // Nothing was left by what was refused.
    expect(await readdir(at("new"))).toEqual([]);
    expect((await restore(file, "new", keys)).code).toBe(0);
    expect(codeOf(await restore(file, "new", keys))).toBe("restore_not_empty");
  });

  it("DAT-02: is refused when it is of a server with other keys, unless told to", async () => {
    const backupKey = { BERTH_BACKUP_KEY: secret("backup") };
    const { program, file } = await backedUp({ ...keys, ...backupKey });
    await stop(program);
    const others = {
      BERTH_MASTER_KEY: secret("m"),
      BERTH_KEY_PEPPER: secret("p"),
      BERTH_AUDIT_KEY: secret("a"),
    };
    expect(codeOf(await restore(file, "new", { ...others, ...backupKey }))).toBe("backup_foreign");
    expect(codeOf(await restore(file, "new", backupKey))).toBe("backup_foreign");
    const taken = await restore(file, "new", { ...others, ...backupKey }, "--accept-foreign");
    expect(JSON.parse(taken.out)).toMatchObject({ keys: "foreign", sessions: 1 });
  });

  it("DAT-02: is refused when a newer program made it, and a server does not start on half a restore", async () => {
    const preset = loadConfig({ flags: { data: at("new") }, env: { ...quiet, ...keys }, cwd: folder }).config;
    const own = await findServerKeys({ path: at("none"), preset });
    if (own === null) throw new Error("the keys are all set");
    await writeFile(at("db"), "of another time");
    const file = at("newer.backup");
    await writeBackup({
      path: file,
      key: own.backupKeys[0],
      manifest: {
        version: "99.0.0",
        schema: 999,
        deployment: "dep_1",
        generation: 1,
        createdAt: "2040-01-01T00:00:00.000Z",
        keys: own.ids,
        counts: {},
      },
      database: { path: at("db"), bytes: 15, blobCount: 0, blobBytes: 0, blobs: () => [] },
      blobs: { get: async () => null },
    });
    expect((await berth(["backup", "verify", file, "--data", at("new")], keys)).code).toBe(0);
    expect(codeOf(await restore(file, "new", keys))).toBe("newer_schema");
    await mkdir(join(at("half"), "restoring"), { recursive: true });
    await expect(start(at("half"), keys)).rejects.toMatchObject({ code: "restore_unfinished" });
    expect(codeOf(await restore(file, "half", keys))).toBe("restore_not_empty");
  });

  it("is made of a stopped folder too, with the keys that the folder has, which a restore is given back", async () => {
    const { program, session } = await backedUp({});
    await stop(program);
    await rm(at("data/backups"), { recursive: true });
    const made = await berth(["backup", "--data", at("data"), "--json"], {});
    expect([made.code, made.err]).toEqual([0, ""]);
    const { path: file } = JSON.parse(made.out) as { path: string };
    await copyFile(join(at("data"), "server.keys"), at("safe.keys"));
    expect(codeOf(await restore(file, "new", {}))).toBe("backup_key_missing");
    const restored = await restore(file, "new", {}, "--keys", at("safe.keys"));
    expect([restored.code, restored.err]).toEqual([0, ""]);
    expect(await readFile(join(at("new"), "server.keys"))).toEqual(await readFile(at("safe.keys")));
    const again = clientOf(await start(at("new"), {}));
    expect((await again.sessions.get(session.id)).title).toBe("kept");
  });

  it("does what was erased after it again, by the list that lies beside it", async () => {
    const { program, file } = await backedUp(keys);
    const api = (method: string, path: string, body?: object) =>
      fetch(`${running.at(-1)?.url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    const created = await api("POST", "/service-accounts", { name: "robot", role: "member" });
    const { id } = (await created.json()) as { id: string };
    const second = await berth(["backup", "--data", at("data"), "--json"], keys);
    const later = (JSON.parse(second.out) as { path: string }).path;
    const begun = await berth(
      ["erasures", "create", "--user", id, "--confirm", "robot", "--data", at("data"), "--json"],
      keys,
    );
    expect([begun.code, begun.err]).toEqual([0, ""]);
    const receipt = JSON.parse(begun.out) as { id: string; status: string };
    expect(receipt.status).toBe("done");
    await stop(program);
    const restored = JSON.parse((await restore(later, "new", keys)).out) as { erasures: string[] };
    expect(restored.erasures).toEqual([receipt.id]);
    await start(at("new"), keys);
    await until(async () => (await api("GET", `/service-accounts/${id}`)).status === 404);
    await until(async () => {
      const seen = await api("GET", `/erasures/${receipt.id}`);
      return ((await seen.json()) as { status: string }).status === "done";
    });
    expect(file).not.toBe(later);
  });

  it("is made where the operator wants it, one after the other", async () => {
    const program = await start(at("data"), {
      ...keys,
      BERTH_BACKUP_DIR: at("elsewhere"),
    });
    const client = clientOf(program);
    for (let count = 0; count < 3; count++) {
      const { name } = await client.backups.create();
      await until(async () => (await client.backups.get(name)).status === "done");
    }
    const twice = [
      await client.backups.create({ idempotencyKey: "one" }),
      await client.backups.create({ idempotencyKey: "one" }),
    ];
    expect(twice[1]?.name).toBe(twice[0]?.name);
    await until(async () => (await client.backups.get(twice[0]?.name ?? "")).status === "done");
    expect((await client.backups.list()).items.map(({ status }) => status)).toEqual([
      "done",
      "done",
      "done",
      "done",
    ]);
    expect(await readdir(at("elsewhere"))).toHaveLength(4);
    expect(await readdir(at("data"))).not.toContain("backup.tmp");
  });
});

function codeOf({ out, err }: { readonly out: string; readonly err: string }): string {
  const found = /"code":"(\w+)"/.exec(`${out}${err}`);
  return found?.[1] ?? `${out}${err}`;
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function until(look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error("it did not come in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
