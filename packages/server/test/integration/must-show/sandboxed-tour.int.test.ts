// README's tour as a user takes it: where this machine can isolate, the demo's command runs in bubblewrap, and the command line shows it.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SandboxInfo, Session } from "@berth/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServerProcess, startServer } from "../../support/server/server-process.ts";

const root = join(import.meta.dirname, "../../../../..");
const main = join(root, "packages/server/src/main.ts");
const run = promisify(execFile);

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-tour-"));
  const env = { PATH: process.env["PATH"] ?? "", BERTH_OLLAMA_DISCOVERY: "false" };
  const options = { root, dataDir: join(folder, "data"), env, logFile: join(folder, "log") };
  server = await startServer(options).ready;
});
afterAll(async () => {
  await server.end("SIGTERM");
  await rm(folder, { recursive: true, force: true });
});

async function berth(...args: string[]): Promise<string> {
  const where = ["--url", server.url, "--data", join(folder, "data")];
  const { stdout } = await run(process.execPath, [main, ...args, ...where], {
    env: { PATH: process.env["PATH"] ?? "" },
  });
  return stdout;
}

describe("the tour", () => {
  it("runs its command in bubblewrap, which sandbox list and doctor show", async () => {
    expect(await berth("sandbox", "list")).toContain("There are no sandboxes");
    await berth("chat", "--yes", "Show me the tour");
    const [session] = JSON.parse(await berth("sessions", "list", "--json")) as Session[];
    const [sandbox] = JSON.parse(await berth("sandbox", "list", "--json")) as SandboxInfo[];
    expect(sandbox).toMatchObject({
      state: "active",
      allocationStrategy: "Session-Exclusive",
      sessions: [{ sessionId: session?.id }],
    });
    const table = await berth("sandbox", "list");
    expect(table).toContain(sandbox?.id);
    expect(table).toContain(session?.id);
    expect(await berth("doctor")).toMatch(/ok +sandbox +bubblewrap: isolated by bubblewrap; 1 in use/);
    const log = await berth("sessions", "export", session?.id ?? "");
    const events = log
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { type: string; data: object }]));
    expect(events.find(({ type }) => type === "sandbox.allocated")?.data).toMatchObject({
      provider: "bubblewrap",
      isolation: "namespace",
    });
    // What it wrote is there, and the next command is given the same sandbox.
    const inside = await berth("sandbox", "exec", session?.id ?? "", "ls; readlink /proc/self/ns/pid");
    expect(inside).toMatch(/\.md/);
    expect(inside).not.toContain(
      await run("readlink", ["/proc/self/ns/pid"]).then(({ stdout }) => stdout.trim()),
    );
  });
});
