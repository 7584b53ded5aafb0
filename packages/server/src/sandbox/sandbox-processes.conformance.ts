import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CreateHarness, makeSandbox, type SandboxHarness } from "./sandbox-harness.conformance.ts";
import type { Capabilities, ProcessEvent, Sandbox } from "./sandbox.ts";

/** What every provider's commands take and tell besides their output; terminals and ports where it has them. */
export function sandboxProcesses(name: string, create: CreateHarness): void {
  describe(`processes of sandboxes: ${name}`, () => {
    let harness: SandboxHarness;
    let sandbox: Sandbox;
    let can: Capabilities;
    beforeEach(async () => {
      harness = await create();
      can = await harness.provider.probe();
      ({ sandbox } = await makeSandbox(harness));
    });
    afterEach(() => harness.close());

    inputTests(() => sandbox);
    followTests(() => sandbox);
    terminalTests(
      () => sandbox,
      () => can,
    );
    portTests(
      () => sandbox,
      () => can,
    );
  });
}

function inputTests(sandbox: () => Sandbox): void {
  it("gives a command its environment and its input, or an empty one", async () => {
    const command = `echo "$A $HOME_OF"; wc -c`;
    const environment = { A: "é 'x'", HOME_OF: "own" };
    const stdin = Buffer.alloc(200_000, "x");
    const given = await sandbox().exec({ command, environment, stdin, timeoutMs: 10_000 });
    expect(given).toMatchObject({ code: 0, output: "é 'x' own\n200000\n" });
    const none = await sandbox().exec({ command: "cat; echo end", timeoutMs: 10_000 });
    expect(none).toMatchObject({ code: 0, output: "end\n" });
    await expect(
      sandbox().exec({ command, environment: { "A B": "" }, timeoutMs: 10_000 }),
    ).rejects.toMatchObject({ code: "command_invalid" });
  });

  it("takes input of a background process as it comes, to its end", async () => {
    const { id } = await sandbox().spawn({ command: "cat; exit 4", input: true });
    await sandbox().write(id, Buffer.from("one "));
    expect(await follow(sandbox(), id, /one /)).toMatchObject({ text: "one " });
    await sandbox().write(id, Buffer.from("two"));
    await sandbox().write(id, null);
    expect(await follow(sandbox(), id)).toMatchObject({ text: "one two", end: { code: 4, reason: "exit" } });
    await expect(sandbox().write(id, null)).rejects.toMatchObject({ code: "process_not_found" });
    const silent = await sandbox().spawn({ command: "sleep 60" });
    await expect(sandbox().write(silent.id, Buffer.from("x"))).rejects.toMatchObject({
      code: "process_input_closed",
    });
  });
}

function followTests(sandbox: () => Sandbox): void {
  it("follows a process from any offset, and tells its end to whoever comes late", async () => {
    const { id } = await sandbox().spawn({
      command: "echo one; read line; echo two >&2; exit 3",
      input: true,
    });
    await follow(sandbox(), id, /one/);
    const late = follow(sandbox(), id, undefined, 2);
    await sandbox().write(id, Buffer.from("\n"));
    expect(await late).toMatchObject({ text: "e\ntwo\n", first: 2, end: { code: 3 } });
    expect(await follow(sandbox(), id)).toMatchObject({ text: "one\ntwo\n", first: 0, end: { code: 3 } });
    await expect(follow(sandbox(), "bg_00000000")).rejects.toMatchObject({ code: "process_not_found" });
  });

  it("does not tell of hidden processes", async () => {
    const { id } = await sandbox().spawn({ command: "echo up; sleep 60", hidden: true });
    await follow(sandbox(), id, /up/);
    expect(await sandbox().processes()).toEqual([]);
    expect(await sandbox().kill(id)).toBe(true);
    expect(await sandbox().logs(id)).toBeNull();
  });
}

function terminalTests(sandbox: () => Sandbox, can: () => Capabilities): void {
  const pty = { columns: 77, rows: 21 };

  it("has terminals with a size that can change and that are typed to", async ({ skip }) => {
    skip(!can().pty, "this provider has no terminals");
    const winch = "stty size; trap 'stty size' WINCH; echo up; while :; do sleep 0.02; done";
    const { id } = await sandbox().spawn({ command: winch, pty });
    expect((await follow(sandbox(), id, /up/)).text).toMatch(/^21 77\r\n/);
    await sandbox().resize(id, { columns: 101, rows: 33 });
    await follow(sandbox(), id, /33 101/);
    await sandbox().kill(id);

    const typed = await sandbox().spawn({ command: "read line; echo got $line; exit 5", pty });
    await sandbox().write(typed.id, Buffer.from("hello\r"));
    expect(await follow(sandbox(), typed.id)).toMatchObject({
      text: "hello\r\ngot hello\r\n",
      end: { code: 5, reason: "exit" },
    });
  });

  it("says when it has no terminals", async ({ skip }) => {
    skip(can().pty, "this provider has terminals");
    await expect(sandbox().spawn({ command: "true", pty })).rejects.toMatchObject({
      code: "sandbox_unsupported",
    });
  });
}

function portTests(sandbox: () => Sandbox, can: () => Capabilities): void {
  it("reaches what listens inside, and refuses where nothing does, or says that it cannot", async () => {
    const port = 43_117;
    const code = can().ports ? "port_refused" : "sandbox_unsupported";
    await expect(sandbox().openPort(port)).rejects.toMatchObject({ code });
    // Nothing more can be asked of one that has no ports.
    if (!can().ports) return;
    const echo = `use IO::Socket; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => ${port}, Listen => 5); while (my $c = $s->accept) { while (<$c>) { print $c "got $_" } close $c }`;
    const { id } = await sandbox().spawn({ command: `perl -e '${echo}'` });
    await expect.poll(() => sandbox().listening(), { timeout: 5_000 }).toEqual([port]);
    const stream = await sandbox().openPort(port);
    stream.end("a\nb\n");
    const back: Buffer[] = [];
    for await (const chunk of stream) back.push(chunk as Buffer);
    expect(Buffer.concat(back).toString()).toBe("got a\ngot b\n");
    await sandbox().kill(id);
    expect(await sandbox().listening()).toEqual([]);
  });
}

interface Followed {
  readonly text: string;
  /** Offset of the first output. */
  readonly first: number | null;
  readonly end: ProcessEvent | null;
}

/** Reads a process's output from an offset on until it matches, or to its end. */
async function follow(sandbox: Sandbox, id: string, until?: RegExp, from = 0): Promise<Followed> {
  let text = "";
  let first: number | null = null;
  for await (const event of sandbox.attach(id, { from })) {
    if (event.type === "end") return { text, first, end: event };
    first ??= event.offset;
    text += Buffer.from(event.data).toString();
    if (until?.test(text) === true) break;
  }
  return { text, first, end: null };
}
