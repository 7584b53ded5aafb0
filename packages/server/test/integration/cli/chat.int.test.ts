import { describe, expect, it } from "vitest";
import { script, scriptModel, startMortalServer, useCliRig } from "../../support/cli/cli-rig.ts";

const start = useCliRig();
const bash = (command: string) => ({ tool: "bash_run", input: { command } });

describe("berth chat at a terminal", { timeout: 120_000 }, () => {
  it("talks, keeps what was said before, and leaves the session behind", async () => {
    const rig = await start();
    await rig.agent();
    const { terminal, ended } = rig.at("chat", "--agent", "tester");
    await terminal.until("/help");
    terminal.type("how are you\r");
    await terminal.until("echo: how are you");
    terminal.type("and now?\r");
    await terminal.until("echo: and now?");
    terminal.type("/exit\r");
    expect(await ended).toBe(0);
    expect(terminal.out()).toMatch(/berth chat --resume ses_/);
    const again = rig.at("chat", "--resume");
    await again.terminal.until("> how are you");
    await again.terminal.until("echo: and now?");
    again.terminal.type("\u0004");
    expect(await again.ended).toBe(0);
  });

  it("shows tools and asks for what needs an approval: yes, no with a reason, edited", async () => {
    const rig = await start();
    await rig.agent({ tools: ["bash_run"], permissions: { mode: "auto", requireApproval: ["bash_run"] } });
    const { terminal, ended } = rig.at("chat", "--agent", "tester");
    await terminal.until("/help");
    terminal.type(
      `${script(bash("echo one"), bash("echo two"), bash("echo three"), { text: "all done" })}\r`,
    );
    await terminal.until('"command": "echo one"');
    await terminal.until("Allow it?");
    terminal.type("y\r");
    await terminal.until("✓ bash_run");
    await terminal.until('"command": "echo two"');
    await terminal.until("Allow it?");
    terminal.type("n too loud\r");
    await terminal.until("✗ denied bash_run");
    await terminal.until("Allow it?");
    terminal.type("e\r");
    await terminal.until("New arguments: ");
    terminal.type(`\u0015${JSON.stringify({ command: "echo edited > out.txt" })}\r`);
    await terminal.until("all done");
    terminal.type("/files\r");
    await terminal.until("out.txt");
    terminal.type("/exit\r");
    expect(await ended).toBe(0);
    const { items } = await rig.client.approvals.list();
    expect(items.map(({ status }) => status)).toEqual(["edited", "denied", "allowed"]);
    expect(items[1]?.note).toBe("too loud");
  });

  it("asks again after new arguments that the tool does not take", async () => {
    const rig = await start();
    await rig.agent({ tools: ["bash_run"], permissions: { mode: "auto", requireApproval: ["bash_run"] } });
    const { terminal, ended } = rig.at("chat", "--agent", "tester");
    await terminal.until("/help");
    terminal.type(`${script(bash("echo one"), { text: "all done" })}\r`);
    await terminal.until("Allow it?");
    terminal.type("e\r");
    await terminal.until("New arguments: ");
    terminal.type('\u0015{"command": 5}\r');
    await terminal.until("Allow it?");
    terminal.type("n\r");
    await terminal.until("✗ denied bash_run");
    await terminal.until("all done");
    terminal.type("/exit\r");
    expect(await ended).toBe(0);
  });

  it("rewinds, forks and goes on in the fork", async () => {
    const rig = await start();
    await rig.agent();
    const { terminal, ended } = rig.at("chat", "--agent", "tester");
    await terminal.until("/help");
    terminal.type("first\r");
    await terminal.until("echo: first");
    terminal.type("second\r");
    await terminal.until("echo: second");
    terminal.type("/rewind\r");
    await terminal.until("Back at event");
    terminal.type("/fork\r");
    await terminal.until("You are in ses_");
    terminal.type("third\r");
    await terminal.until("echo: third");
    terminal.type("/no-such\r/nothing\r/exit\r");
    await terminal.until("There is no /nothing");
    expect(await ended).toBe(0);
    const [fork, parent] = (await rig.client.sessions.list()).items;
    expect(fork?.forkedFrom?.sessionId).toBe(parent?.id);
  });

  it("interrupts the agent at the first Ctrl-C and leaves at the second", async () => {
    const rig = await start();
    await rig.agent();
    const { terminal, ended } = rig.at("chat", "--agent", "tester");
    await terminal.until("/help");
    terminal.type(`${script([{ text: "begun " }, { waitMs: 60_000 }])}\r`);
    // The first one is the echo of what was typed.
    await terminal.until("begun");
    await terminal.until("begun");
    terminal.type("\u0003");
    await terminal.until("interrupting");
    await terminal.until("Interrupted.");
    terminal.type(`${script({ text: "still here" })}\r`);
    await terminal.until("still here");
    await terminal.until("still here");
    terminal.type("\u0003");
    await terminal.until("again leaves");
    terminal.type("\u0003");
    expect(await ended).toBe(130);
  });

  it("offers the ways out of a failed run and takes the chosen one", async () => {
    const rig = await start();
    await rig.agent({ limits: { maxSteps: 1 }, tools: ["bash_run"] });
    const { terminal, ended } = rig.at("chat", "--agent", "tester");
    await terminal.until("/help");
    terminal.type(`${script(bash("true"), { text: "made it" })}\r`);
    await terminal.until("limit_reached");
    await terminal.until("What now? 1-");
    terminal.type("1\r");
    await terminal.until("made it");
    terminal.type("/exit\r");
    expect(await ended).toBe(0);
  });

  it("says that the server is gone, and has the answer on the screen once when it is back", async () => {
    await using server = await startMortalServer();
    await server.client.agents.create({ name: "tester", model: scriptModel });
    const { terminal, ended } = server.at("chat", "--agent", "tester");
    await terminal.until("/help");
    // No two of the pieces stand together in what is typed. All have connected again before the last one: clients pause for 5 s at most.
    const pieces = [
      { text: "the first" },
      { waitMs: 100 },
      { text: " half" },
      { waitMs: 9_000 },
      { text: " and more" },
    ];
    terminal.type(`${script(pieces)}\r`);
    await terminal.until("the first half");
    const [session] = (await server.client.sessions.list()).items;
    const tail = (...flags: string[]) => server.at("sessions", "tail", session?.id ?? "", ...flags);
    const early = tail();
    await early.terminal.until("the first half");
    await server.kill();
    await terminal.until("connection lost");
    await early.terminal.until("connection lost");
    await server.start();
    const late = tail("--from-start");
    const screens = [terminal, early.terminal, late.terminal];
    // What is typed, and shown to who comes late, holds " and more" alone.
    await late.terminal.until("half and more");
    for (const screen of [terminal, early.terminal]) await screen.until(" and more");
    terminal.type("/exit\r");
    expect(await ended).toBe(0);
    const { items } = await server.client.session(session?.id ?? "").log();
    expect(items.map(({ type }) => type)).toContain("session.resumed");
    for (const tailing of [early, late]) {
      // Its line ends when the log says that it is whole, or was cut off.
      await tailing.terminal.until("\n");
      tailing.terminal.interrupt();
      await tailing.ended;
    }
    for (const screen of screens) {
      expect(screen.out().split("the first half and more")).toHaveLength(2);
      expect(screen.out()).not.toContain("(cut off)");
    }
  });
});

describe("berth chat without a terminal", () => {
  it("makes its agent, writes the answer alone to standard output and denies approvals", async () => {
    const rig = await start();
    const message = script(bash("echo hi"), { text: "the answer" });
    const { code, out, err } = await rig.berth("chat", "--model", "scripted/script", message);
    expect({ code, out }).toEqual({ code: 0, out: "the answer\n" });
    expect(err).toContain('Made the agent "assistant"');
    expect(err).toContain("--yes");
    const [approval] = (await rig.client.approvals.list()).items;
    expect(approval).toMatchObject({ tool: "bash_run", status: "denied" });
  });
});

describe("berth run", () => {
  it("prints the last message, or JSON with everything, and ends with 0", async () => {
    const rig = await start();
    await rig.agent({ tools: ["bash_run"], permissions: { mode: "approval" } });
    const task = script([{ text: "first" }, bash("echo hi")], { text: "second" });
    expect(await rig.berth("run", task, "--agent", "tester", "--yes")).toEqual({
      code: 0,
      out: "second\n",
      err: "",
    });
    const { code, out } = await rig.berth("run", task, "--agent", "tester", "--yes", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      status: "completed",
      reason: "end_turn",
      text: "second",
      toolCalls: [{ name: "bash_run", ok: true }],
    });
  });

  it("ends with 1 when the run fails, and when it takes too long", async () => {
    const rig = await start();
    await rig.agent();
    const failing = await rig.berth(
      "run",
      script({ error: "invalid_request" }),
      "--agent",
      "tester",
      "--json",
    );
    expect(failing.code).toBe(1);
    expect(JSON.parse(failing.out)).toMatchObject({ status: "failed", reason: "error" });
    const slow = await rig.berth(
      "run",
      script({ waitMs: 60_000 }),
      "--agent",
      "tester",
      "--timeout",
      "200ms",
      "--key",
      "slow",
    );
    expect(slow.code).toBe(1);
    expect(slow.err).toContain("longer than its 200 ms");
    const { id } = await rig.client.sessions.create({ agent: "tester", key: "slow" });
    expect((await rig.client.session(id).ask(script({ text: "next" }))).text).toBe("next");
  });
});
