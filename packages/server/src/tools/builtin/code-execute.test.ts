import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentPart } from "@berth/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localSandboxes } from "../../../test/support/sandbox/local-sandboxes.ts";
import type { SessionSandboxes } from "../../allocation/session-sandboxes.ts";
import type { ExecSpec } from "../../sandbox/sandbox.ts";
import type { ToolContext, ToolOutcome } from "../tool.ts";
import { codeExecute } from "./code-execute.ts";

const place = { orgId: "org_a", sessionId: "ses_a" };
let folder: string;
let sandboxes: SessionSandboxes;
let blobs: Uint8Array[];
let asked: ExecSpec[];
let calls = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-code-"));
  sandboxes = localSandboxes(folder, { PATH: process.env["PATH"] ?? "" });
  blobs = [];
  asked = [];
});
afterEach(async () => {
  await sandboxes.close();
  await rm(folder, { recursive: true, force: true });
});

function contextOf(more: Partial<ToolContext> = {}): ToolContext {
  calls += 1;
  return {
    ...place,
    runId: "run_a",
    toolUseId: `tlu_${calls}`,
    signal: new AbortController().signal,
    now: () => 0,
    async sandbox() {
      const sandbox = await sandboxes.connect(place);
      const exec = (spec: ExecSpec) => {
        asked.push(spec);
        return sandbox.exec(spec);
      };
      return { ...sandbox, exec };
    },
    files: () => sandboxes.workspace(place),
    todos: () => [],
    async putBlob(data, mediaType) {
      blobs.push(data);
      return { hash: "0".repeat(64), size: data.length, ...(mediaType !== undefined && { mediaType }) };
    },
    fetch: () => Promise.reject(new Error("no fetch here")),
    openPort: () => Promise.reject(new Error("no previews here")),
    progress: () => undefined,
    ...more,
  };
}

type Language = "python" | "node" | "bash";
const use = (language: Language, code: string, more: { timeoutMs?: number } = {}): Promise<ToolOutcome> =>
  codeExecute.run({ language, code, ...more }, contextOf());

const png = "89504e470d0a1a0a0000";

describe("code_execute", () => {
  it("runs python and shows the value of its last line, as a notebook does", async () => {
    expect(await use("python", "x = 6\nprint('hi')\nx * 7")).toEqual({ ok: true, content: "hi\n42\n" });
    expect(await use("python", "x = 6")).toEqual({ ok: true, content: "(no output)" });
    expect(await use("python", "import sys\nprint(sys.stdin.read() == '', __name__)")).toMatchObject({
      content: "True __main__\n",
    });
  });

  it("tells a python error with the line of the code, and none of its own", async () => {
    const failure = await use("python", "def f():\n  return 1 / 0\nf()");
    expect(failure).toMatchObject({ ok: false, message: "The code ended with exit code 1." });
    const text = JSON.stringify(failure);
    expect(text).toContain(JSON.stringify('File "<code>", line 2, in f\n    return 1 / 0').slice(1, -1));
    expect(text).toContain("ZeroDivisionError");
    expect(text).not.toContain("<string>");
    expect(await use("python", "1 +")).toMatchObject({ content: expect.stringContaining("SyntaxError") });
    expect(await use("python", "import sys\nsys.exit(3)")).toMatchObject({
      message: "The code ended with exit code 3.",
    });
  });

  it("runs node and bash, with an empty input and quotes as they are", async () => {
    expect(await use("node", `console.log('a' + "b" + \`c\${1 + 1}\`)`)).toEqual({
      ok: true,
      content: "abc2\n",
    });
    expect(await use("node", "console.log(await Promise.resolve(7))")).toEqual({ ok: true, content: "7\n" });
    expect(await use("bash", `x='a "b"'\ncat\ncat <<END\n$x\nEND\necho "$((6 * 7))"`)).toEqual({
      ok: true,
      content: 'a "b"\n42\n',
    });
    expect(await use("bash", "exit 4")).toMatchObject({ message: "The code ended with exit code 4." });
  });

  it("gives images of OUTPUT_DIR back as images and names the other files", async () => {
    const code = `
import os
out = os.environ["OUTPUT_DIR"]
open(out + "/chart.png", "wb").write(bytes.fromhex("${png}"))
open(out + "/data.csv", "w").write("a,b")
os.symlink("/etc/passwd", out + "/link.png")
print("drawn")`;
    const outcome = await use("python", code);
    const parts = (outcome.ok ? outcome.content : []) as ContentPart[];
    expect(parts.map((part) => part.type)).toEqual(["text", "image"]);
    const at = `output/tlu_${calls}`;
    expect(parts[0]).toEqual({
      type: "text",
      text: `drawn\n[files: ${at}/chart.png (shown), ${at}/data.csv (3 bytes)]`,
    });
    expect(parts[1]).toMatchObject({ mediaType: "image/png", blob: { size: 10 } });
    expect(blobs.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual([png]);
  });

  it("shows 8 images at most, and none that is too large", async () => {
    const many = `for i in $(seq 10); do printf '\\x89PNG\\r\\n\\x1a\\n' > "$OUTPUT_DIR/$i.png"; done`;
    const large = `printf '\\x89PNG\\r\\n\\x1a\\n' > "$OUTPUT_DIR/0.png"; truncate -s 6M "$OUTPUT_DIR/0.png"`;
    const outcome = await use("bash", `${large}\n${many}`);
    const parts = (outcome.ok ? outcome.content : []) as ContentPart[];
    expect(parts.filter((part) => part.type === "image")).toHaveLength(8);
    expect(JSON.stringify(parts[0])).toContain("0.png (6291456 bytes)");
  });

  it("leaves no folder behind when nothing was written", async () => {
    await use("bash", "echo 1");
    expect((await (await sandboxes.workspace(place)).list("")).items).toEqual([]);
  });

  it("asks for a sandbox of its own, and takes the session's where there is none", async () => {
    await use("bash", "true");
    expect(asked[0]?.oneshot).toBe(true);
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(asked.at(-1)?.oneshot === true || asked.length === 2).toBe(true);
  });

  it("ends what takes too long", { timeout: 30_000 }, async () => {
    const outcome = await use("bash", "echo a; sleep 60", { timeoutMs: 3_000 });
    expect(outcome).toMatchObject({ ok: false, errorType: "timeout", content: "a\n" });
  });

  it("says which tool shows what is installed when a package is missing", async () => {
    const hint = expect.stringContaining("python3 -m pip list");
    expect(await use("python", "import no_such_package")).toMatchObject({ ok: false, suggestions: [hint] });
    expect(await use("node", "require('no-such-package')")).toMatchObject({
      ok: false,
      suggestions: [expect.stringContaining("npm ls")],
    });
  });

  it("says so when the language is not installed", async () => {
    const empty = join(folder, "empty");
    await sandboxes.close();
    sandboxes = localSandboxes(join(folder, "other"), { PATH: empty });
    expect(await use("python", "1")).toMatchObject({
      ok: false,
      message: "python3 is not installed where commands run, so python code cannot run.",
    });
  });
});
