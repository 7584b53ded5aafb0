// A server that is told to stop while people's commands run by API: it waits for none of them, says so, and leaves nothing.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxInfo } from "@berth/contract";
import { afterEach, beforeEach, expect, it } from "vitest";
import { adminKeyPath } from "../../../src/auth/admin-key.ts";
import { recordsOf, remainsOf } from "../../support/sandbox/bubblewrap-remains.ts";
import { type ServerProcess, startServer } from "../../support/server/server-process.ts";

const root = join(import.meta.dirname, "../../../../..");
const execs = 12;
const sandboxes = 3;
const stopMs = 10_000;

let folder: string;
let server: ServerProcess;
let key: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-stop-"));
  const dataDir = join(folder, "data");
  // So long that a stop that waits for commands is seen.
  const drain = { BERTH_DRAIN_TIMEOUT: "1m" };
  const env = { PATH: process.env["PATH"] ?? "", BERTH_OLLAMA_DISCOVERY: "false", ...drain };
  server = await startServer({ root, dataDir, env, logFile: join(folder, "log") }).ready;
  key = (await readFile(adminKeyPath(dataDir), "utf8")).trim();
});
afterEach(async () => {
  await server.end("SIGTERM");
  await rm(folder, { recursive: true, force: true });
});

async function post(path: string, body: object, accept = "application/json"): Promise<Response> {
  return await fetch(`${server.url}/api/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", accept },
    body: JSON.stringify(body),
  });
}

async function makeSandbox(): Promise<string> {
  const session = (await (await post("/sessions", { agent: "tester" })).json()) as { id: string };
  const made = (await (await post("/sandboxes", { sessionId: session.id })).json()) as SandboxInfo;
  return made.id;
}

const ended = "The server is stopping and has ended the command: run it again when the server is back.";

it("ends commands, follows and processes at once, and what it made within 10 s", async () => {
  await post("/agents", { name: "tester", model: "demo/tour" });
  const making = performance.now();
  const ids = await Promise.all(Array.from({ length: sandboxes }, () => makeSandbox()));
  // A busy machine takes longer for all of it: 0.8 s to make them where a stop takes 3.6 s.
  const mostMs = Math.max(stopMs, 5 * (performance.now() - making));
  const at = (index: number) => `/sandboxes/${ids[index % sandboxes]}`;
  const body = { command: "echo up; sleep 60", timeoutMs: 120_000 };
  const process_ = (await (await post(`${at(0)}/processes`, { command: body.command })).json()) as {
    id: string;
  };
  const replies = Array.from({ length: execs }, (_, index) => post(`${at(index)}/exec`, body));
  const streamed = await post(`${at(1)}/exec`, body, "text/event-stream");
  const followed = await fetch(`${server.url}/api/v1${at(0)}/processes/${process_.id}`, {
    headers: { authorization: `Bearer ${key}`, accept: "text/event-stream" },
  });
  const running = async () => {
    const { output } = (await (
      await post(`${at(0)}/exec`, { command: "ps -e -o args= | grep -c '^sleep 60'" })
    ).json()) as { output: string };
    return Number(output);
  };
  await expect.poll(running, { timeout: 20_000 }).toBe(execs / sandboxes + 1);
  const records = recordsOf(join(folder, "data"));
  expect(records.length).toBeGreaterThanOrEqual(sandboxes);

  const begun = performance.now();
  const ending = server.end("SIGTERM");
  const answers = await Promise.all(replies.map(async (reply) => await (await reply).json()));
  const exit = await ending;
  expect(performance.now() - begun).toBeLessThan(mostMs);
  expect(exit).toEqual({ code: 0, signal: null });
  for (const answer of answers)
    expect(answer).toMatchObject({ status: 503, code: "shutting_down", retryable: true, detail: ended });
  expect(await streamed.text()).toContain(
    `event: end\ndata: {"code":"shutting_down","message":${JSON.stringify(ended)}`,
  );
  expect(await followed.text()).toContain('event: end\ndata: {"code":"shutting_down"');
  expect(remainsOf(join(folder, "data"), records)).toEqual([]);
}, 90_000);
