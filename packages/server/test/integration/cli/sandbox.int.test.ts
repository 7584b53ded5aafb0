import type { SandboxAllocation, SandboxInfo, SandboxPort } from "@berth/client";
import { describe, expect, it, vi } from "vitest";
import { askHost } from "../../support/sandbox/ask-host.ts";
import { useCliRig } from "../../support/cli/cli-rig.ts";

const rig = useCliRig();

async function setUp() {
  const cli = await rig();
  await cli.agent();
  const { id } = await cli.client.sessions.create({ agent: "tester" });
  return {
    client: cli.client,
    url: cli.url,
    sessionId: id,
    berth: (...args: string[]) => cli.berth(...args),
    alone: (...args: string[]) => cli.alone(...args),
    piped: (input: string, ...args: string[]) => cli.piped(input, ...args),
    at: (...args: string[]) => cli.at(...args),
  };
}

describe("berth sandbox", () => {
  it("gives a session its sandbox, lists and shows it, and takes it back with its history left", async () => {
    const { berth, sessionId } = await setUp();
    expect((await berth("sandbox", "list")).out).toContain("There are no sandboxes");
    const made = await berth("sandbox", "create", sessionId);
    const id = made.out.trim();
    expect([made.code, id]).toEqual([0, expect.stringMatching(/^sbx_/)]);
    const listed = await berth("sandbox", "list", "--json");
    expect((JSON.parse(listed.out) as SandboxInfo[]).map((one) => one.id)).toEqual([id]);
    expect((await berth("sandbox", "list")).out).toContain(sessionId);
    expect((await berth("sandbox", "show", id)).out).toMatch(/memory +512 ?MiB/);
    expect((await berth("sandbox", "show", sessionId)).out).toContain(id);
    expect((await berth("sandbox", "metrics", sessionId)).out).toContain("processes");
    const gone = await berth("sandbox", "destroy", id);
    expect([gone.code, gone.out]).toEqual([0, `Sandbox ${id} is taken back.\n`]);
    expect((await berth("sandbox", "show", id)).code).toBe(1);
    const none = await berth("sandbox", "show", sessionId);
    expect([none.code, none.err]).toEqual([
      1,
      expect.stringContaining(`./berth sandbox create ${sessionId}`),
    ]);
    const history = await berth("sandbox", "allocations", "--session", sessionId, "--json");
    expect(JSON.parse(history.out) as SandboxAllocation[]).toMatchObject([
      { sandboxId: id, isActive: false, endReason: "destroyed" },
    ]);
  });

  it("runs commands, whose exit code is its own", async () => {
    const { berth, sessionId } = await setUp();
    const ran = await berth("sandbox", "exec", sessionId, "echo out; echo err >&2; exit 3");
    expect(ran.code).toBe(3);
    expect(ran.out).toContain("out\n");
    const words = await berth("sandbox", "exec", sessionId, "printf", "%s|", "a b", "$HOME", "it's");
    expect(words.out).toBe("a b|$HOME|it's|");
    const json = await berth("sandbox", "exec", sessionId, "echo hi", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ code: 0, reason: "exit", output: "hi\n" });
    const slow = await berth("sandbox", "exec", sessionId, "sleep 30", "--timeout", "100ms");
    expect([slow.code, slow.err]).toEqual([124, expect.stringContaining("--timeout")]);
    const wrong = await berth("sandbox", "exec", "tester", "true");
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("neither a session")]);
  });

  it("runs standard input as a script where there is no terminal, and says so", async () => {
    const { piped, sessionId } = await setUp();
    const ran = await piped("echo script-$((40+2))\nexit 5\n", "sandbox", "shell", sessionId);
    expect(ran).toMatchObject({ code: 5, out: "script-42\n" });
    expect(ran.err).toContain("This is no terminal");
    expect((await piped("exit 4\n", "sandbox", "shell")).code).toBe(4);
  });

  it("has help with examples for each command", async () => {
    const { berth } = await setUp();
    for (const command of [
      "list",
      "show",
      "create",
      "destroy",
      "exec",
      "shell",
      "ports",
      "logs",
      "processes",
      "kill",
      "metrics",
      "allocations",
    ]) {
      const help = await berth("sandbox", command, "--help");
      expect([command, help.code, help.out.includes("Examples:")]).toEqual([command, 0, true]);
      expect([command, help.out.includes("--org")]).toEqual([command, true]);
    }
  });

  it("starts processes that go on, lists and ends them", async () => {
    const { berth, sessionId } = await setUp();
    const env = ["--env", "A=one", "--env", "B=two words"];
    const started = await berth("sandbox", "exec", sessionId, "-d", ...env, 'echo "$A, $B"; sleep 60');
    const process = started.out.trim();
    expect(started).toMatchObject({ code: 0, err: "" });
    const listed = await berth("sandbox", "processes", sessionId);
    expect(listed.out).toMatch(new RegExp(`${process} .*running`));
    await vi.waitFor(async () => {
      expect((await berth("sandbox", "logs", sessionId, process)).out).toBe("one, two words\n");
    }, 10_000);
    const killed = await berth("sandbox", "kill", sessionId, process);
    expect(killed).toMatchObject({ code: 0, out: `Process ${process} is ended.\n` });
    expect((await berth("sandbox", "processes", sessionId)).out).toMatch(/ended/);
    const wrong = await berth("sandbox", "exec", sessionId, "-d", "--oneshot", "true");
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("--oneshot")]);
  });

  it("says what it waits for and for how long, and gives up in time", { timeout: 30_000 }, async () => {
    const { alone, berth, client } = await setUp();
    const other = (await berth("sessions", "create", "--agent", "tester", "--title", "Other")).out.trim();
    expect((await client.sessions.get(other)).title).toBe("Other");
    const [org] = (await client.orgs.list()).items;
    await client.orgs.update(org?.id ?? "", { settings: { sandbox: { perUser: 1 } } });
    const box = await client.sandboxes.create(other);
    const stop = new AbortController();
    const busy = client.sandboxes.exec(box.id, { command: "sleep 60" }, { signal: stop.signal });
    const another = (await berth("sessions", "create", "--agent", "tester")).out.trim();
    const waited = await alone("sandbox", "exec", another, "--wait", "3s", "true");
    expect(waited.code).toBe(1);
    expect(waited.err).toMatch(
      /Waiting, for 3s at most.*\n.*berth: .*It was so for 3s: wait longer with --wait/s,
    );
    const hasty = await berth("sandbox", "create", another, "--no-wait");
    expect([hasty.code, hasty.err.includes("Waiting")]).toEqual([1, false]);
    const patient = berth("sandbox", "exec", another, "--wait", "20s", "echo in");
    stop.abort();
    await busy.catch(() => {});
    expect(await patient).toMatchObject({ code: 0, out: "in\n" });
  });

  it("opens a shell at a terminal, which takes every key and ends with its exit code", async () => {
    const { at, sessionId } = await setUp();
    const { terminal, ended } = at("sandbox", "shell", sessionId);
    terminal.type("echo in-$((40+2)); tty; stty size\n");
    await terminal.until("in-42");
    await terminal.until("/dev/pts/");
    // Said by what has the terminal: before bash has handed it over, a key would reach bash alone.
    terminal.type("sh -c 'echo ready-$((1+1)); exec sleep 600'\n");
    await terminal.until("ready-2");
    terminal.type("\u0003");
    await terminal.until("^C");
    terminal.type("exit 9\n");
    expect(await ended).toBe(9);
  });

  it("shows what processes write, and opens their ports to a browser", async () => {
    const { berth, client, url, sessionId } = await setUp();
    const { id } = await client.sandboxes.create(sessionId);
    const { id: process } = await client.sandboxes.spawn(id, {
      command: "echo hello from inside > index.html; python3 -u -m http.server 8123 --bind 127.0.0.1",
    });
    await vi.waitFor(
      async () => {
        const ports = await berth("sandbox", "ports", sessionId, "--json");
        expect(JSON.parse(ports.out) as SandboxPort[]).toMatchObject([{ port: 8123, listening: true }]);
      },
      { timeout: 15_000, interval: 200 },
    );
    expect((await berth("sandbox", "logs", sessionId)).out).toContain("running");
    const opened = await berth("sandbox", "ports", sessionId, "--open", "8123", "--ttl", "5m");
    const address = new URL(opened.out.trim());
    expect(address.hostname).toMatch(/^p[0-9a-z]{25}\.localhost$/);
    const port = Number(new URL(url).port);
    const { headers } = await askHost(port, address);
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const page = await askHost(port, new URL("/", address), { headers: { cookie } });
    expect([page.status, page.text]).toEqual([200, "hello from inside\n"]);
    expect((await berth("sandbox", "logs", sessionId, process)).out).toContain("GET / HTTP/1.1");
    expect((await berth("sandbox", "ports", sessionId, "--close", "8123")).code).toBe(0);
    expect((await askHost(port, new URL("/", address), { headers: { cookie } })).status).toBe(403);
    expect((await berth("sandbox", "ports", sessionId, "--open", "http")).code).toBe(2);
  });
});
