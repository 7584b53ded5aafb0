import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "@berth/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServerProcess, startServer } from "../../support/server/server-process.ts";
import { answers, startTripMock, turns } from "../../support/trip-mock.ts";

const root = join(import.meta.dirname, "../../../../..");
const run = promisify(execFile);

let folder: string;
let mock: Awaited<ReturnType<typeof startTripMock>>;
let server: ServerProcess;
let apiKey: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-must-show-"));
  mock = await startTripMock();
  const env = {
    PATH: process.env["PATH"] ?? "",
    OPENAI_BASE_URL: `${mock.url}/v1`,
    OPENAI_API_KEY: "mock",
    BERTH_OLLAMA_DISCOVERY: "false",
  };
  server = await startServer({ root, dataDir: join(folder, "data"), env, logFile: join(folder, "log") })
    .ready;
  apiKey = (await readFile(join(folder, "data/admin.key"), "utf8")).trim();
  const client = createClient({ baseUrl: server.url, apiKey });
  const tools = ["fs_*", "bash_run"];
  const permissions = { mode: "auto" as const, requireApproval: ["bash_run"] };
  await client.agents.create({ name: "poet", model: "openai/gpt-mock" });
  await client.agents.create({
    name: "guide",
    model: "openai/gpt-mock",
    tools,
    permissions,
    subagents: ["poet"],
  });
});

afterAll(async () => {
  await server.end("SIGTERM");
  await mock.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("a conversation of three turns with parallel tools, an approval and a sub-agent", () => {
  it("runs through the SDK", async () => {
    const client = createClient({ baseUrl: server.url, apiKey });
    const { id } = await client.sessions.create({ agent: "guide" });
    const asked: unknown[] = [];
    const said: string[] = [];
    for (const text of turns) {
      const result = await client.session(id).run({
        text,
        onApproval: async ({ input }) => {
          asked.push(input);
          return { decision: "allow" };
        },
      });
      expect(result.run).toMatchObject({ status: "completed", reason: "end_turn" });
      said.push(result.text);
    }
    expect(said.map((text) => answers.findIndex((answer) => text.endsWith(answer)))).toEqual([0, 1, 2]);
    expect(asked).toEqual([{ command: "cat route.md bag.md | wc -w" }]);
    const types: string[] = [];
    for await (const line of client.sessions.export(id)) {
      if (line !== "") types.push((JSON.parse(line) as { type: string }).type);
    }
    expect(types.filter((type) => type === "subagent.finished")).toHaveLength(1);
    expect(types.filter((type) => type === "agent.tool_use")).toHaveLength(4);
  });

  it("runs through curl", async () => {
    const config = join(folder, "curl");
    await writeFile(config, `header = "Authorization: Bearer ${apiKey}"\n`, { mode: 0o600 });
    const api = `${server.url}/api/v1`;
    const curl = async (path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const data =
        body === undefined ? [] : ["-H", "Content-Type: application/json", "--data", JSON.stringify(body)];
      const { stdout } = await run("curl", [
        "-sS",
        "--fail-with-body",
        "--config",
        config,
        ...data,
        `${api}${path}`,
      ]);
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    const { id } = (await curl("/sessions", { agent: "guide" })) as { id: string };
    const follower = spawn("curl", ["-sSN", "--config", config, `${api}/sessions/${id}/events/stream`]);
    let stream = "";
    follower.stdout.setEncoding("utf8").on("data", (text: string) => (stream += text));
    const seen = async (pattern: RegExp, times: number) => {
      while ((stream.match(pattern) ?? []).length < times)
        await new Promise((resolve) => follower.stdout.once("data", resolve));
    };
    for (const [index, content] of turns.entries()) {
      await curl(`/sessions/${id}/events`, { events: [{ type: "user.message", content }] });
      if (index === 1) {
        await seen(/^event: approval\.requested$/gm, 1);
        const { items } = (await curl(`/approvals?sessionId=${id}&status=pending`)) as {
          items: { id: string }[];
        };
        await curl(`/approvals/${items[0]?.id}`, { decision: "allow" });
      }
      await seen(/^event: run\.finished$/gm, index + 1);
    }
    follower.kill();
    await new Promise((resolve) => follower.once("close", resolve));
    for (const answer of answers) expect(stream).toContain(answer);
    const ids = [...stream.matchAll(/^id: 1\.(\d+)$/gm)].map(([, seq]) => Number(seq));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
  });

  it("runs through berth chat", async () => {
    const main = join(root, "packages/server/src/main.ts");
    const where = ["--url", server.url, "--data", join(folder, "data")];
    for (const [index, text] of turns.entries()) {
      const { stdout } = await run(process.execPath, [
        main,
        "chat",
        "--agent",
        "guide",
        "--key",
        "trip",
        "--yes",
        ...where,
        text,
      ]);
      expect(stdout).toContain(answers[index]);
    }
  });
});
