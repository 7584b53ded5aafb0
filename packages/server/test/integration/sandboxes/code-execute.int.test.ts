// code_execute where commands are isolated for real: each run in a sandbox of its own with the session's workspace.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentPart } from "@berth/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionSandboxes } from "../../../src/allocation/session-sandboxes.ts";
import { codeExecute } from "../../../src/tools/builtin/code-execute.ts";
import type { ToolContext, ToolOutcome } from "../../../src/tools/tool.ts";
import { type BubblewrapRig, makeBubblewrap } from "../../support/sandbox/bubblewrap-rig.ts";
import { createSingleSandboxes } from "../../support/sandbox/single-sandboxes.ts";

const mebibyte = 1024 * 1024;
const place = { orgId: "org_a", sessionId: "ses_a" };
const request = { ...place, wish: { limits: { memoryBytes: 160 * mebibyte, diskBytes: 64 * mebibyte } } };
let folder: string;
let rig: BubblewrapRig;
let sandboxes: SessionSandboxes;
let blobs: Uint8Array[];
let calls = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-code-"));
  rig = await makeBubblewrap({ dataDir: join(folder, "data") });
  sandboxes = createSingleSandboxes({
    provider: rig.provider,
    workspaceIdOf: () => "wsp_01arz3ndektsv4rrffq69g5fav",
  });
  await sandboxes.connect(request);
});
afterAll(async () => {
  await sandboxes.destroy(place);
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

function contextOf(): ToolContext {
  calls += 1;
  blobs = [];
  return {
    ...place,
    runId: "run_a",
    toolUseId: `tlu_${calls}`,
    signal: new AbortController().signal,
    now: () => 0,
    sandbox: () => sandboxes.connect(request),
    files: () => sandboxes.workspace(place),
    todos: () => [],
    async putBlob(data, mediaType) {
      blobs.push(data);
      return { hash: "0".repeat(64), size: data.length, ...(mediaType !== undefined && { mediaType }) };
    },
    fetch: () => Promise.reject(new Error("no fetch here")),
    openPort: () => Promise.reject(new Error("no previews here")),
    progress: () => undefined,
  };
}

type Language = "python" | "node" | "bash";
const use = (language: Language, code: string, more: { timeoutMs?: number } = {}): Promise<ToolOutcome> =>
  codeExecute.run({ language, code, ...more }, contextOf());

describe("code_execute in a sandbox of bubblewrap", () => {
  it("runs python, node and bash in the session's workspace, each alone", async () => {
    expect(await use("python", "open('kept', 'w').write('x')\n6 * 7")).toEqual({ ok: true, content: "42\n" });
    expect(await use("node", "console.log(require('fs').readFileSync('kept', 'utf8'), 6 * 7)")).toEqual({
      ok: true,
      content: "x 42\n",
    });
    expect(await use("bash", 'cat kept; echo " $PWD $((6 * 7))"')).toEqual({
      ok: true,
      content: "x /workspace 42\n",
    });
  });

  it("shares no processes with the session's sandbox, and leaves none", async () => {
    const sandbox = await sandboxes.connect(request);
    const { id } = await sandbox.spawn({ command: "sleep 61.25" });
    const left = await use("bash", "pgrep -af 'sleep [6]1' || echo alone; setsid sleep 62.5 & echo begun");
    expect(left).toEqual({ ok: true, content: "alone\nbegun\n" });
    const { output } = await sandbox.exec({ command: "pgrep -af 'sleep [6]'", timeoutMs: 10_000 });
    expect(output).toContain("sleep 61.25");
    expect(output).not.toContain("62.5");
    await sandbox.kill(id);
  });

  it("gives images back, and leaves its files in the workspace", async () => {
    const code = `
import os, struct, zlib
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\\0\\0")) + chunk(b"IEND", b"")
open(os.environ["OUTPUT_DIR"] + "/dot.png", "wb").write(png)`;
    const outcome = await use("python", code);
    const parts = (outcome.ok ? outcome.content : []) as ContentPart[];
    expect(parts.map((part) => part.type)).toEqual(["text", "image"]);
    expect(parts[1]).toMatchObject({ mediaType: "image/png" });
    expect(
      Buffer.from(blobs[0] ?? [])
        .subarray(1, 4)
        .toString(),
    ).toBe("PNG");
    const files = await sandboxes.workspace(place);
    expect((await files.list(`output/tlu_${calls}`)).items).toHaveLength(1);
  });

  it("reaches no network", async () => {
    const outcome = await use(
      "python",
      "import urllib.request\nurllib.request.urlopen('http://example.com', timeout=5)",
    );
    expect(outcome).toMatchObject({ ok: false, content: expect.stringMatching(/403|refused|denied/i) });
    const direct = `import socket\nsocket.create_connection(("192.0.2.1", 80), 5)`;
    expect(await use("python", direct)).toMatchObject({
      ok: false,
      content: expect.stringContaining("unreachable"),
    });
  });

  it("ends what takes too long with all that it started, and says so", async () => {
    const outcome = await use("bash", "setsid sleep 63.75 & echo a; sleep 60", { timeoutMs: 5_000 });
    expect(outcome).toMatchObject({
      ok: false,
      errorType: "timeout",
      message: expect.stringContaining("took longer than 5000 ms"),
      content: expect.stringContaining("a\n"),
    });
    const { output } = await (
      await sandboxes.connect(request)
    ).exec({ command: "pgrep -af 'sleep [6]3' || echo none", timeoutMs: 10_000 });
    expect(output).toBe("none\n");
  });

  it("says of what needs too much memory what to do, and the session goes on", async () => {
    const outcome = await use("python", "x = [b'x' * 1048576 for _ in range(400)]");
    expect(outcome).toMatchObject({
      ok: false,
      message: "The code used more memory than the sandbox has and was ended.",
      suggestions: ["Process the data in smaller parts, or one after another."],
    });
    expect(await use("bash", "echo on")).toEqual({ ok: true, content: "on\n" });
  });

  it("says that the workspace is full", async () => {
    const outcome = await use("bash", "head -c 200M /dev/zero >large; status=$?; rm -f large; exit $status");
    expect(outcome).toMatchObject({ ok: false, content: expect.stringContaining("No space left") });
  });
});
