import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localSandboxes } from "../../../test/support/sandbox/local-sandboxes.ts";
import type { SessionSandboxes } from "../../allocation/session-sandboxes.ts";
import type { SandboxFiles } from "../../sandbox/sandbox.ts";
import type { ToolContext, ToolOutcome } from "../tool.ts";
import { builtinTools } from "./builtin-tools.ts";

let folder: string;
let provider: SessionSandboxes;
let files: SandboxFiles;
let context: ToolContext;
let live: string;
let blobs: Map<string, Uint8Array>;
let stop: AbortController;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-tools-"));
  provider = localSandboxes(folder);
  const spec = { orgId: "org_a", sessionId: "ses_a" };
  files = (await provider.connect(spec)).files;
  live = "";
  blobs = new Map();
  stop = new AbortController();
  context = {
    ...spec,
    runId: "run_a",
    toolUseId: "tlu_a",
    signal: stop.signal,
    now: () => 0,
    sandbox: () => provider.connect(spec),
    files: () => provider.workspace(spec),
    todos: () => [],
    async putBlob(data, mediaType) {
      const hash = createHash("sha256").update(data).digest("hex");
      blobs.set(hash, data);
      return { hash, size: data.length, ...(mediaType !== undefined && { mediaType }) };
    },
    openPort: () => Promise.reject(new Error("no previews here")),
    fetch: () => Promise.reject(new Error("no fetch here")),
    progress: (text) => (live += text),
  };
});
afterEach(async () => {
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (path: string, content: string) => files.write(path, new TextEncoder().encode(content));
const read = async (path: string) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(await files.read(path));
/** The text of a success. */
function textOf(outcome: ToolOutcome): string {
  return outcome.ok && typeof outcome.content === "string" ? outcome.content : "";
}
async function use(name: string, input: object): Promise<ToolOutcome> {
  const tool = builtinTools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return await tool.run(input, context);
}

describe("fs_read", () => {
  it("numbers the lines and pages through them", async () => {
    await write("a.txt", "one\ntwo\nthree\n");
    expect(await use("fs_read", { path: "a.txt" })).toEqual({
      ok: true,
      content: "     1\tone\n     2\ttwo\n     3\tthree",
    });
    expect(await use("fs_read", { path: "a.txt", offset: 2, limit: 1 })).toEqual({
      ok: true,
      content: "     2\ttwo\n[lines 2 to 2 of 3; read on with offset 3]",
    });
    expect(await use("fs_read", { path: "a.txt", offset: 4 })).toMatchObject({
      ok: false,
      errorType: "validation",
    });
    await write("empty", "");
    expect(await use("fs_read", { path: "empty" })).toMatchObject({ ok: true, content: "empty is empty." });
  });

  it("cuts long lines and long files, and every line can be reached", async () => {
    await write("long", Array.from({ length: 500 }, (_, at) => `${at + 1} ${"x".repeat(3_000)}`).join("\n"));
    let offset: number | null = 1;
    let pages = 0;
    const seen: number[] = [];
    while (offset !== null) {
      const outcome = await use("fs_read", { path: "long", offset });
      const content = textOf(outcome);
      expect(content.length).toBeLessThan(31_000);
      for (const match of content.matchAll(/^ *(\d+)\t/gm)) seen.push(Number(match[1]));
      const next = /read on with offset (\d+)\]$/.exec(content);
      offset = next === null ? null : Number(next[1]);
      pages++;
    }
    expect(seen).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
    expect(pages).toBeGreaterThan(30);
  });

  it("gives an image as an image and refuses other binary files", async () => {
    const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]);
    await files.write("a.png", png);
    const outcome = await use("fs_read", { path: "a.png" });
    expect(outcome).toMatchObject({
      ok: true,
      content: [{ type: "image", mediaType: "image/png", blob: { size: 10 } }],
    });
    expect([...blobs.values()]).toEqual([png]);
    await files.write("a.bin", new Uint8Array([1, 0, 2]));
    expect(await use("fs_read", { path: "a.bin" })).toMatchObject({ ok: false, errorType: "runtime" });
  });

  it("tells what is wrong with a path", async () => {
    expect(await use("fs_read", { path: "../x" })).toMatchObject({ ok: false, errorType: "validation" });
    expect(await use("fs_read", { path: "none" })).toMatchObject({ ok: false, errorType: "runtime" });
  });
});

describe("fs_write and fs_edit", () => {
  const edit = (input: object) => use("fs_edit", { path: "f", ...input });

  it("write a file and tell that it changed", async () => {
    expect(await use("fs_write", { path: "a/f", content: "ä" })).toEqual({
      ok: true,
      content: "Wrote 2 bytes to a/f.",
      events: [{ type: "file.changed", data: { path: "a/f", change: "written" } }],
    });
    expect(await read("a/f")).toBe("ä");
  });

  it("change the one place, or all when told so", async () => {
    await write("f", "a\nb\na\n");
    expect(await edit({ oldText: "b", newText: "$&" })).toMatchObject({
      ok: true,
      content: "Changed 1 place in f.\n     1\ta\n     2\t$&\n     3\ta\n     4\t",
      events: [{ type: "file.changed" }],
    });
    expect(await edit({ oldText: "a", newText: "c" })).toMatchObject({
      ok: false,
      message: "oldText is in f 2 times, at the lines 1, 3.",
      suggestions: { length: 2 },
    });
    expect(await edit({ oldText: "a", newText: "c", replaceAll: true })).toMatchObject({ ok: true });
    expect(await read("f")).toBe("c\n$&\nc\n");
  });

  it("keep the file's line ends and byte order mark", async () => {
    await write("f", "\ufeffone\r\ntwo\r\nthree\r\n");
    expect(await edit({ oldText: "one\ntwo", newText: "1\n2\n2b" })).toMatchObject({ ok: true });
    expect(await read("f")).toBe("\ufeff1\r\n2\r\n2b\r\nthree\r\n");
  });

  it("say why a text was not found", async () => {
    await write("f", "function a() {\n    return 1;\n}\n");
    const why = async (oldText: string) => {
      const outcome = await edit({ oldText, newText: "x" });
      return outcome.ok ? "" : outcome.suggestions?.[0];
    };
    expect(await why("function a() {\n  return 1;\n}")).toContain("other spaces begins at line 1");
    expect(await why("FUNCTION a() {")).toContain("other case begins at line 1");
    expect(await why("    return 1;\n  return 2;")).toContain("first line is at line 2");
    expect(await why("nothing of it")).toContain("Read the file again");
    expect(await edit({ oldText: "x", newText: "x" })).toMatchObject({ errorType: "validation" });
    await files.write("f", new Uint8Array([0xff, 0xfe]));
    expect(await edit({ oldText: "x", newText: "y" })).toMatchObject({
      ok: false,
      message: "f is not UTF-8 text and cannot be edited.",
    });
  });
});

describe("fs_glob and fs_grep", () => {
  it("show paths and lines, and say when there is nothing or more", async () => {
    for (const name of ["a", "b", "c"]) await write(`src/${name}.ts`, `line of ${name}\n`);
    expect(await use("fs_glob", { pattern: "**/[ab].ts" })).toMatchObject({ content: "src/a.ts\nsrc/b.ts" });
    expect(await use("fs_glob", { pattern: "*.js" })).toMatchObject({ content: "No file matches." });
    expect(await use("fs_glob", { pattern: "**", limit: 1 })).toMatchObject({
      content: expect.stringContaining("there are more"),
    });
    expect(await use("fs_grep", { pattern: "of [bc]", path: "src" })).toMatchObject({
      content: "src/b.ts:1: line of b\nsrc/c.ts:1: line of c",
    });
    expect(await use("fs_grep", { pattern: "none" })).toMatchObject({ content: "No line matches." });
    expect(await use("fs_grep", { pattern: "(" })).toMatchObject({ ok: false, errorType: "validation" });
  });
});

describe("bash_run", () => {
  it("gives the output, live too, and tells a failure with it", async () => {
    expect(await use("bash_run", { command: "echo hello" })).toEqual({ ok: true, content: "hello\n" });
    expect(live).toBe("hello\n");
    expect(await use("bash_run", { command: "true" })).toEqual({ ok: true, content: "(no output)" });
    expect(await use("bash_run", { command: "echo bad; exit 2" })).toMatchObject({
      ok: false,
      errorType: "runtime",
      message: "The command ended with exit code 2.",
      content: "bad\n",
    });
  });

  it("tells a timeout and a stop with what there was", { timeout: 30_000 }, async () => {
    expect(await use("bash_run", { command: "echo a; sleep 60", timeoutMs: 3_000 })).toMatchObject({
      ok: false,
      errorType: "timeout",
      content: "a\n",
    });
    context = { ...context, progress: () => stop.abort() };
    expect(await use("bash_run", { command: "echo b; sleep 60" })).toMatchObject({
      errorType: "aborted",
      content: "b\n",
    });
  });

  it("cuts a long output for the model and keeps the whole of it", async () => {
    const outcome = await use("bash_run", { command: "seq 1 20000" });
    if (!outcome.ok) throw new Error(outcome.message);
    expect(textOf(outcome)).toMatch(
      /^1\n2\n[^]*\[\.\.\. \d+ characters were cut here \.\.\.\]\n[^]*20000\n$/,
    );
    expect(textOf(outcome).length).toBeLessThan(30_100);
    expect(outcome.output?.size).toBe(108_894);
    expect(blobs.get(outcome.output?.hash ?? "")?.length).toBe(108_894);
  });

  it("starts in the background; bash_logs reads on and bash_kill ends it", async () => {
    const started = await use("bash_run", { command: "echo up; sleep 60", background: true });
    const id = /as (bg_\w+)/.exec(textOf(started))?.[1] ?? "";
    const log = async (offset: number) => (await use("bash_logs", { id, offset })) as { content?: string };
    await expect
      .poll(async () => (await log(0)).content)
      .toBe(`up\n\n[${id} is running; read on with offset 3]`);
    expect((await log(3)).content).toBe(`[${id} is running; read on with offset 3]`);
    expect(await use("bash_kill", { id })).toMatchObject({ ok: true });
    expect((await log(3)).content).toBe(
      `[${id} ended with exit code unknown (a signal); read on with offset 3]`,
    );
    for (const tool of ["bash_logs", "bash_kill"]) {
      expect(await use(tool, { id: "bg_x" })).toMatchObject({
        ok: false,
        suggestions: [`There are: ${id}.`],
      });
    }
  });
});
