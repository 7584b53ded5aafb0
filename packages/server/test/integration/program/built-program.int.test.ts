// What ./berth and npm start run is a build of the sources. A checkout of its own, so that its sources can be changed.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type ServerOptions, type ServerProcess, startServer } from "../../support/server/server-process.ts";

const root = join(import.meta.dirname, "../../../../..");
const env = { PATH: process.env["PATH"] ?? "", BERTH_OLLAMA_DISCOVERY: "false" };
const building = "built the program from its sources";

// Building takes a second of a free processor.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let folder: string;
let checkout: string;
let server: ServerProcess;
let options: ServerOptions;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "berth-program-"));
  checkout = join(folder, "checkout");
  const isSource = (path: string) => !/\.test\.ts$|\/packages\/[^/]+\/(test|node_modules)$/.test(path);
  for (const path of ["packages", "scripts", "berth", "package.json", "package-lock.json"]) {
    cpSync(join(root, path), join(checkout, path), { recursive: true, filter: isSource });
  }
  for (const path of ["node_modules", "packages/server/node_modules"])
    symlinkSync(join(root, path), join(checkout, path));
  mkdirSync(join(checkout, ".tools"));
  writeFileSync(join(checkout, ".tools/ready"), `${process.execPath}\n`);
  berth("--version");
  options = {
    command: [join(checkout, "berth")],
    root: checkout,
    dataDir: join(folder, "data"),
    env,
    logFile: join(folder, "log"),
  };
  server = await startServer(options).ready;
});

afterAll(async () => {
  await server.end("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

function berth(...args: string[]): { readonly stdout: string; readonly stderr: string } {
  const { stdout, stderr, status } = spawnSync(join(checkout, "berth"), args, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`berth ${args.join(" ")} ended with ${status}: ${stderr}`);
  return { stdout, stderr };
}

function client(...args: string[]): string {
  return berth(...args, "--url", server.url, "--data", options.dataDir).stdout;
}

describe("the built program", () => {
  it("is what runs", () => {
    expect(readFileSync(`/proc/${server.pid}/cmdline`, "utf8")).toMatch(
      /\.tools\/program\/[^/]+\/start\.mjs\0serve/,
    );
  });

  it("chats, runs a command in a sandbox and finds files", () => {
    expect(client("chat", "--yes", "Show me the tour")).toMatch(/\S/);
    const [session] = JSON.parse(client("sessions", "list", "--json")) as { id: string }[];
    expect(client("sandbox", "exec", session?.id ?? "", "echo $((6 * 7))")).toContain("42");
    expect(client("tools")).toContain("web_fetch");
    expect(client("doctor")).toContain("isolated by bubblewrap");
  });

  it("is built once, and anew when a source changed, also by a tool that keeps its size and time", () => {
    expect(berth("--help").stderr).toBe("");
    const source = join(checkout, "packages/server/src/cli/root-command.ts");
    const { atime, mtime, size } = statSync(source);
    writeFileSync(
      source,
      readFileSync(source, "utf8").replace("A self-hosted server", "A self-hosted SERVER"),
    );
    utimesSync(source, atime, mtime);
    // What a check of times and sizes would take for the same file.
    expect(statSync(source)).toMatchObject({ size, mtime });
    const { stdout, stderr } = berth("--help");
    expect(stdout).toContain("A self-hosted SERVER");
    expect(stderr).toContain(building);
    expect(berth("--help").stderr).toBe("");
    // Parts of the build that a server runs are there when it needs them first.
    expect(client("models")).toContain("demo/tour");
  });

  it("has Node's own modules without the copies that import makes, and keeps what was compiled in its build", () => {
    const builds = join(checkout, ".tools/program");
    const build = join(builds, readFileSync(join(builds, "current"), "utf8").trim());
    const files = readdirSync(build).filter((name) => name.endsWith(".mjs"));
    const code = files.map((name) => readFileSync(join(build, name), "utf8")).join("\n");
    expect(code).toContain('getBuiltinModule("node:http")');
    expect(code).not.toMatch(/^import .* from "node:http"/m);
    expect(readdirSync(join(build, "compiled"), { recursive: true }).length).toBeGreaterThan(1);
  });

  it("stops in order when it is asked to as soon as it says that it is ready", async () => {
    const asked = await startServer({ ...options, dataDir: join(folder, "asked") }).ready;
    expect(await asked.end("SIGTERM")).toEqual({ code: 0, signal: null });
  });

  it("says what is wrong with sources that cannot be built, and runs nothing old", () => {
    const source = join(checkout, "packages/server/src/cli/exit.ts");
    const text = readFileSync(source, "utf8");
    writeFileSync(source, `${text}\nimport "./not-there.ts";\n`);
    const { status, stdout, stderr } = spawnSync(join(checkout, "berth"), ["--help"], {
      env,
      encoding: "utf8",
    });
    writeFileSync(source, text);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("not-there.ts");
  });

  it("names sources in the stacks of its errors", () => {
    const source = join(checkout, "packages/server/src/cli/serve.ts");
    const text = readFileSync(source, "utf8");
    const line = text.split("\n").findIndex((one) => one.includes("const loaded = loadConfig(")) + 1;
    writeFileSync(
      source,
      text.replace("const loaded = loadConfig(", 'throw new Error("planted"); const loaded = loadConfig('),
    );
    const { stderr } = spawnSync(join(checkout, "berth"), ["serve"], { env, encoding: "utf8" });
    writeFileSync(source, text);
    expect(stderr).toContain("planted");
    expect(stderr).toContain(`${source}:${line}:`);
  });

  it("dies where a failpoint is armed, in the thread that writes too", async () => {
    const doomed = {
      ...options,
      dataDir: join(folder, "doomed"),
      env: { ...env, BERTH_FAILPOINT: "store.create-session.after-commit" },
    };
    const dying = await startServer(doomed).ready;
    const where = ["--url", dying.url, "--data", doomed.dataDir];
    const chat = spawn(join(checkout, "berth"), ["chat", "Hello", ...where], { env, stdio: "ignore" });
    const chatEnded = once(chat, "close");
    expect(await dying.exited).toMatchObject({ signal: "SIGKILL" });
    // It would go on asking for its server.
    chat.kill("SIGKILL");
    await chatEnded;
  });
});
