import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SessionPlace, SessionSandboxes } from "../allocation/session-sandboxes.ts";
import type { Sandbox } from "./sandbox.ts";
import { bytes, fileTests, searchTests } from "./sandbox-files.conformance.ts";

export interface SandboxHarness {
  readonly provider: SessionSandboxes;
  /** Path, as commands in a sandbox see it, of a file outside every workspace that holds `secret`; null when none can be seen. */
  readonly outsideFile: string | null;
  /** What the outside file holds now. */
  readOutside(): Promise<string>;
  close(): Promise<void>;
}

export const secret = "the outside's own text";
export const someSession: SessionPlace = { orgId: "org_a", sessionId: "ses_a" };
/** What every sandbox provider must do. The harness is made anew for each test. Attacks have a suite of their own. */
export function sandboxConformance(name: string, create: () => Promise<SandboxHarness>): void {
  describe(`sandbox: ${name}`, () => {
    let harness: SandboxHarness;
    let sandbox: Sandbox;
    beforeEach(async () => {
      harness = await create();
      sandbox = await harness.provider.connect(someSession);
    });
    afterEach(() => harness.close());

    fileTests(() => sandbox);
    describe("search", () => {
      searchTests(() => sandbox);
    });
    commandTests(() => sandbox);
    backgroundTests(() => sandbox);
    lifeTests(
      () => harness.provider,
      () => sandbox,
    );
  });
}

function commandTests(sandbox: () => Sandbox): void {
  it("runs a command in the workspace and tells output, exit code and signal", async () => {
    const box = sandbox();
    const { files } = box;
    await files.write("sub/x", bytes(""));
    const result = await box.exec({
      command: "echo out; echo err >&2; ls; exit 3",
      cwd: "sub",
      timeoutMs: 5_000,
    });
    expect(result).toMatchObject({
      code: 3,
      signal: null,
      reason: "exit",
      output: "out\nerr\nx\n",
      truncated: false,
    });
    expect(result.outputBytes).toBe(10);
    expect(await box.exec({ command: "kill -TERM $$", timeoutMs: 5_000 })).toMatchObject({
      code: null,
      signal: "SIGTERM",
    });
  });

  it("does not start in a folder that is missing or outside", async () => {
    const box = sandbox();
    await expect(box.exec({ command: "true", cwd: "none", timeoutMs: 5_000 })).rejects.toMatchObject({
      code: "file_not_found",
    });
    await expect(box.exec({ command: "true", cwd: "..", timeoutMs: 5_000 })).rejects.toMatchObject({
      code: "path_invalid",
    });
    await expect(box.exec({ command: "a\0b", timeoutMs: 5_000 })).rejects.toMatchObject({
      code: "command_invalid",
    });
  });

  it("gives output while the command runs, whole characters only", async () => {
    const chunks: string[] = [];
    // The euro sign's three bytes are written one by one.
    const command = String.raw`for byte in '\342' '\202' '\254'; do printf "$byte"; sleep 0.05; done; cat gate`;
    const box = sandbox();
    await box.exec({ command: "mkfifo gate", timeoutMs: 5_000 });
    const running = box.exec({ command, timeoutMs: 5_000, onOutput: (chunk) => chunks.push(chunk) });
    await expect.poll(() => chunks.join("")).toBe("€");
    await box.exec({ command: "echo end > gate", timeoutMs: 5_000 });
    await running;
    expect(chunks.join("")).toBe("€end\n");
  });

  it("keeps head and tail of a long output and tells how much was cut", async () => {
    const result = await sandbox().exec({
      command: "seq 1 100000",
      timeoutMs: 10_000,
      maxOutputBytes: 1_000,
    });
    expect(result).toMatchObject({ truncated: true, outputBytes: 588_895 });
    expect(result.output).toMatch(/^1\n2\n/);
    expect(result.output).toMatch(/\n100000\n$/);
    expect(result.output).toContain("\n[... 587895 bytes were cut here ...]\n");
  });

  it("stops a command at its time limit and when it is told to", async () => {
    const box = sandbox();
    expect(await box.exec({ command: "echo begun; sleep 60", timeoutMs: 300 })).toMatchObject({
      reason: "timeout",
      output: "begun\n",
    });
    const stop = new AbortController();
    const running = box.exec({
      command: "echo begun; sleep 60",
      timeoutMs: 60_000,
      signal: stop.signal,
      onOutput: () => stop.abort(),
    });
    expect(await running).toMatchObject({ reason: "killed", output: "begun\n" });
    expect(await box.exec({ command: "touch x", timeoutMs: 1_000, signal: stop.signal })).toMatchObject({
      reason: "killed",
    });
    expect(await sandbox().files.stat("x")).toBeNull();
  });
}

function backgroundTests(sandbox: () => Sandbox): void {
  it("keeps a background process, its output by offset, and its exit code", async () => {
    const box = sandbox();
    await box.exec({ command: "mkfifo gate", timeoutMs: 5_000 });
    const started = await box.spawn({ command: "echo one; cat gate; exit 4" });
    expect(started).toMatchObject({ running: true, code: null, command: "echo one; cat gate; exit 4" });
    await expect.poll(async () => (await box.logs(started.id))?.text).toBe("one\n");
    await box.exec({ command: "echo two > gate", timeoutMs: 5_000 });
    await expect.poll(async () => (await box.processes())[0]?.running).toBe(false);
    expect(await box.logs(started.id, 4)).toMatchObject({
      text: "two\n",
      nextOffset: 8,
      process: { code: 4, running: false },
    });
    expect(await box.logs("bg_none")).toBeNull();
  });

  it("kills a background process with what it started", async () => {
    const box = sandbox();
    const { id } = await box.spawn({ command: "setsid sleep 61.5 & echo up; wait" });
    await expect.poll(async () => (await box.logs(id))?.text).toBe("up\n");
    expect(await box.kill(id)).toBe(true);
    expect((await box.logs(id))?.process.running).toBe(false);
    expect((await box.exec({ command: "pgrep -f '[s]leep 61.5'", timeoutMs: 5_000 })).output).toBe("");
    expect(await box.kill("bg_none")).toBe(false);
  });

  it("keeps the newest part of a long log", async () => {
    const box = sandbox();
    const { id } = await box.spawn({ command: "seq 1 300000" });
    await expect.poll(async () => (await box.logs(id))?.process.running, { timeout: 5_000 }).toBe(false);
    const log = await box.logs(id);
    expect(log?.text).toMatch(/^\[\d+ bytes of older output are no longer kept\]\n/);
    expect(log?.text).toMatch(/\n300000\n$/);
    expect(log?.nextOffset).toBe(1_988_895);
  });
}

function lifeTests(provider: () => SessionSandboxes, sandbox: () => Sandbox): void {
  it("gives a session the same workspace again, and each session its own", async () => {
    await sandbox().files.write("mine", bytes("x"));
    expect((await provider().connect(someSession)).id).toBe(sandbox().id);
    const others = [
      { orgId: "org_b", sessionId: "ses_a" },
      { orgId: "org_a", sessionId: "ses_b" },
    ];
    for (const spec of others) {
      const other = await provider().connect(spec);
      expect(other.id).not.toBe(sandbox().id);
      expect(await other.files.stat("mine")).toBeNull();
    }
  });

  it("finds a sandbox without making one", async () => {
    expect(await (await provider().files(someSession))?.stat("")).not.toBeNull();
    await provider().release(someSession);
    expect(await (await provider().files(someSession))?.stat("")).not.toBeNull();
    const unknown = { orgId: "org_a", sessionId: "ses_unknown" };
    expect(await provider().files(unknown)).toBeNull();
    expect(await provider().destroy(unknown)).toBe("absent");
  });

  it("ends the processes at release and keeps the files", async () => {
    await sandbox().files.write("kept", bytes("x"));
    const running = sandbox().exec({ command: "sleep 60", timeoutMs: 60_000 });
    const { id } = await sandbox().spawn({ command: "sleep 60" });
    await provider().release(someSession);
    expect((await running).reason).toBe("killed");
    expect((await sandbox().logs(id))?.process.running).toBe(false);
    await expect(sandbox().exec({ command: "true", timeoutMs: 1_000 })).rejects.toMatchObject({
      code: "sandbox_gone",
    });
    const again = await provider().connect(someSession);
    expect(await again.processes()).toEqual([]);
    expect(await again.files.stat("kept")).not.toBeNull();
  });

  it("deletes everything at destroy", async () => {
    await sandbox().files.write("a/b", bytes("x"));
    expect(await provider().destroy(someSession)).toBe("destroyed");
    expect(await provider().destroy(someSession)).toBe("absent");
    expect((await (await provider().connect(someSession)).files.list("")).items).toEqual([]);
  });

  it("ends everything when it is closed", async () => {
    const running = sandbox().exec({ command: "sleep 60", timeoutMs: 60_000 });
    await provider().close();
    expect((await running).reason).toBe("killed");
    await expect(provider().connect(someSession)).rejects.toMatchObject({ code: "sandbox_gone" });
  });
}
