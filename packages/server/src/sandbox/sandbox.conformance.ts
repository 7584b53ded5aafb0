import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Sandbox } from "./sandbox.ts";
import { bytes, fileTests, searchTests } from "./sandbox-files.conformance.ts";
import { type CreateHarness, makeSandbox, type SandboxHarness } from "./sandbox-harness.conformance.ts";

/** What every sandbox must do. The harness is made anew for each test. Attacks and lives of sandboxes have suites of their own. */
export function sandboxConformance(name: string, create: CreateHarness): void {
  describe(`sandbox: ${name}`, () => {
    let harness: SandboxHarness;
    let sandbox: Sandbox;
    beforeEach(async () => {
      harness = await create();
      sandbox = (await makeSandbox(harness)).sandbox;
    });
    afterEach(() => harness.close());

    fileTests(() => sandbox);
    describe("search", () => {
      searchTests(() => sandbox);
    });
    commandTests(() => sandbox);
    backgroundTests(() => sandbox);
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
    // Long enough for a busy machine to begin it.
    expect(await box.exec({ command: "echo begun; sleep 60", timeoutMs: 3_000 })).toMatchObject({
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
    // Where nothing is isolated, processes of the whole machine are found: those of no other test.
    const mark = `61.${process.pid}`;
    const { id } = await box.spawn({ command: `setsid sleep ${mark} & echo up; wait` });
    await expect.poll(async () => (await box.logs(id))?.text).toBe("up\n");
    expect(await box.kill(id)).toBe(true);
    expect((await box.logs(id))?.process.running).toBe(false);
    expect((await box.exec({ command: `pgrep -f '[s]leep ${mark}'`, timeoutMs: 5_000 })).output).toBe("");
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
