// What the command line says by itself, in the words of its options, and what it tells of what the server knows.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { script, useCliRig } from "../../support/cli/cli-rig.ts";

const start = useCliRig();

async function setUp() {
  const rig = await start();
  await rig.agent({ tools: ["bash_run"] });
  const { id } = await rig.client.sessions.create({ agent: "tester" });
  return {
    id,
    client: rig.client,
    data: rig.data,
    berth: (...args: string[]) => rig.berth(...args),
    piped: (input: string, ...args: string[]) => rig.piped(input, ...args),
    at: (...args: string[]) => rig.at(...args),
  };
}

describe("what a command line says", { timeout: 60_000 }, () => {
  it("of quotas: how many sandboxes of how many are in use", async () => {
    const { berth, client, id } = await setUp();
    await client.userConfig.put({ sandboxPoolQuota: 2 });
    expect((await berth("sandbox", "list")).out).toContain("In use at once: 0 of 2 of yours, 0 of ");
    await berth("sandbox", "create", id);
    expect((await berth("sandbox", "list")).out).toContain("In use at once: 1 of 2 of yours, 1 of ");
    expect((await client.sandboxes.list()).quota).toMatchObject({
      user: { used: 1, most: 2 },
      org: { used: 1 },
    });
    expect(JSON.parse((await berth("sandbox", "list", "--json")).out)).toHaveLength(1);
  });

  it("of wrong usage: the option that is wrong, before anything is sent", async () => {
    const { berth, piped, client, id } = await setUp();
    const cases = [
      [["sandbox", "ports", id, "--open", "3000", "--ttl", "30d"], "--ttl <time>", "at most 24h"],
      [["sandbox", "exec", id, "true", "--timeout", "2h"], "--timeout <time>", "at most 1h"],
      [["sandbox", "exec", id, "true", "--timeout", "2"], "--timeout <time>", "Write a time as"],
      [["sandbox", "exec", id, "true", "--wait", "abc"], "--wait <time>", "Write a time as"],
      [["sandbox", "exec", id, "true", "--env", "1A=2"], "--env 1A=2", "no name of a variable"],
      [["sandbox", "exec", id, ""], "no command", "empty"],
      [["vault", "secret", "put", "x", "--host", "https://a"], "--host https://a", "must be a name"],
    ] as const;
    for (const [args, ...texts] of cases) {
      const { code, err } = await berth(...args);
      expect([args, code]).toEqual([args, 2]);
      for (const text of texts) expect(err).toContain(text);
      expect(err).not.toMatch(/\/(ttlMs|timeoutMs|environment|command|value)\b/);
    }
    const short = await piped("short", "vault", "secret", "put", "x", "--host", "a.example");
    expect([short.code, short.err]).toEqual([2, expect.stringContaining("8 to 4096")]);
    expect((await client.sandboxes.list()).items).toEqual([]);
  });

  it("of secrets: where each may be sent", async () => {
    const { berth, client } = await setUp();
    await client.sandboxSecrets.put("api", { value: "CANARY_words_1", hosts: ["a.example", "*.b.example"] });
    const listed = await berth("vault", "secret", "list");
    expect(listed.out).toContain("a.example, *.b.example");
    const json = await berth("vault", "secret", "list", "--json");
    expect(JSON.parse(json.out)).toMatchObject([{ name: "api", hosts: ["a.example", "*.b.example"] }]);
    expect(listed.out + json.out).not.toContain("CANARY");
  });

  it("of going back: what became of the files", async () => {
    const { berth, client, id } = await setUp();
    await client
      .session(id)
      .ask(script([{ tool: "bash_run", input: { command: "echo 1 > f" } }], { text: "done" }));
    const forked = await berth("sessions", "fork", id);
    expect([forked.out, forked.err]).toEqual([
      expect.stringMatching(/^ses_\w+\n$/),
      expect.stringMatching(/^Its files are .*\.\n$/),
    ]);
    expect((await berth("sessions", "fork", id, "--json")).err).toBe("");
    const back = await berth("sessions", "rewind", id, "1");
    expect(back.out).toBe(`Session ${id} is back at event 1. Its files are as they were there.\n`);
  });

  it("of a file that is no archive: that it is none", async () => {
    const { berth, data, id } = await setUp();
    const file = join(data, "README.md");
    await writeFile(file, "# Words, and no archive at all. ".repeat(60));
    const { code, err } = await berth("sessions", "files", "extract", id, file);
    expect([code, err]).toEqual([1, expect.stringContaining("it is no tar archive, or damaged")]);
  });

  it("of a sandbox host: its own settings, and of waiting only what a command has", async () => {
    const { berth } = await setUp();
    const help = (await berth("sandbox-host", "--help")).out.replaceAll(/\s+/g, " ");
    expect(help).toContain("Where the host listens");
    expect(help).toContain("until servers have moved its workspaces away");
    for (const verb of ["list", "allocations", "destroy"]) {
      expect((await berth("sandbox", verb, "--help")).out).not.toContain("--wait");
    }
    expect((await berth("sandbox", "exec", "--help")).out).toContain("--wait");
  });
});

it("a terminal keeps no history among the session's files", { timeout: 60_000 }, async () => {
  const { at, client, id } = await setUp();
  const typed = async (first: string) => {
    const { terminal, ended } = at("sandbox", "shell", id);
    terminal.type(`${first} set -o history; echo CANARY_typed; echo with-$((40 + 2))\n`);
    await terminal.until("with-42");
    terminal.type("history -a; exit 0\n");
    expect(await ended).toBe(0);
    const box = await client.sandboxes.create(id);
    const command = "grep -rl CANARY_typed . || echo none";
    return (await client.sandboxes.exec(box.id, { command })).output;
  };
  expect(await typed("")).toBe("none\n");
  // As bash does it by itself.
  expect(await typed("HISTFILE=~/.bash_history;")).toBe("./.bash_history\n");
});
