import type { ExecResult, SandboxInfo, SandboxProcess } from "@berth/contract";
import { processOutput } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { useApi } from "../../support/http/api.ts";

const open = useApi();

async function setUp() {
  const api = await open({ plain: {} });
  await api.agent();
  const { id } = await api.session();
  const box = (await api.post("/sandboxes", { sessionId: id })).json<SandboxInfo>();
  return { api, box };
}

describe("commands by API", () => {
  it("run to their end, with input, a time limit and an output limit", async () => {
    const { api, box } = await setUp();
    const exec = async (body: Record<string, unknown>) =>
      (await api.post(`/sandboxes/${box.id}/exec`, body)).json<ExecResult>();
    expect(await exec({ command: "cat; exit 3", stdin: "hello" })).toMatchObject({
      code: 3,
      reason: "exit",
      output: "hello",
      truncated: false,
    });
    expect(await exec({ command: "sleep 20", timeoutMs: 50 })).toMatchObject({ reason: "timeout" });
    expect(await exec({ command: "seq 1000", maxOutputBytes: 10 })).toMatchObject({ truncated: true });
    const { operations, principal } = api;
    const { items } = await operations.store
      .org(principal.orgId)
      .audit.list({ limit: 50, action: "sandbox.command_run" });
    expect(items).toHaveLength(3);
  });

  it("tell their output while they run, numbered", async () => {
    const { api, box } = await setUp();
    const reply = await api.post(
      `/sandboxes/${box.id}/exec`,
      { command: "printf one; printf two >&2; printf three" },
      { headers: { accept: "text/event-stream" } },
    );
    expect(reply.headers.get("content-type")).toBe("text/event-stream");
    const frames = framesOf(reply.text);
    const output = frames.filter(({ event }) => event === "output");
    expect(output.map(({ data }) => data["text"]).join("")).toMatch(/one.*three|onetwothree/);
    expect(output.at(-1)?.id).toBe("11");
    expect(frames.at(-1)).toMatchObject({ event: "result", data: { code: 0, outputBytes: 11 } });
  });

  it("refuse what their schema does not name", async () => {
    const { api, box } = await setUp();
    for (const body of [
      {},
      { command: "" },
      { command: "true", shell: "zsh" },
      { command: "true", timeoutMs: 3_600_001 },
      { command: "true", environment: { "A=B": "c" } },
      { command: "true", maxOutputBytes: 17 * 1_048_576 },
    ])
      expect((await api.post(`/sandboxes/${box.id}/exec`, body)).status).toBe(422);
  });
});

describe("processes by API", () => {
  it("are started, read from an offset, fed, followed and ended", async () => {
    const { api, box } = await setUp();
    const path = `/sandboxes/${box.id}/processes`;
    const started = await api.post(path, {
      command: "while read line; do echo got $line; done",
      input: true,
    });
    expect(started.status).toBe(201);
    const { id } = started.json<SandboxProcess>();
    expect((await api.post(`${path}/${id}/input`, { data: "a\nb\n" })).status).toBe(204);
    expect((await api.post(`${path}/${id}/input`, { close: true })).status).toBe(204);
    const whole = await api.get(`${path}/${id}`, { headers: { accept: "text/event-stream" } });
    expect(framesOf(whole.text)).toMatchObject([
      ...framesOf(whole.text).slice(0, -1),
      { event: "exit", data: { code: 0, reason: "exit" } },
    ]);
    expect(textOf(whole.text)).toBe("got a\ngot b\n");
    const resumed = await api.get(`${path}/${id}`, {
      headers: { accept: "text/event-stream", "last-event-id": "6" },
    });
    expect(textOf(resumed.text)).toBe("got b\n");
    const rest = (await api.get(`${path}/${id}?offset=6`)).json(processOutput);
    expect(rest).toMatchObject({ text: "got b\n", nextOffset: 12, process: { running: false, code: 0 } });
    expect((await api.get(path)).json<{ items: SandboxProcess[] }>().items).toHaveLength(1);
    const endless = (await api.post(path, { command: "sleep 600" })).json<SandboxProcess>();
    expect((await api.delete(`${path}/${endless.id}`)).status).toBe(204);
    expect((await api.get(`${path}/nobody`)).problem().code).toBe("process_not_found");
    expect((await api.delete(`${path}/nobody`)).problem().code).toBe("process_not_found");
    expect(
      (await api.get(`${path}/${id}`, { headers: { accept: "text/event-stream", "last-event-id": "x" } }))
        .status,
    ).toBe(400);
  });
});

interface Frame {
  readonly event: string;
  readonly id: string | null;
  readonly data: Record<string, unknown>;
}

function framesOf(text: string): readonly Frame[] {
  return text.split("\n\n").flatMap((block) => {
    const line = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
    const data = line("data");
    if (data === null) return [];
    return [{ event: line("event") ?? "", id: line("id"), data: JSON.parse(data) as Frame["data"] }];
  });
}

function textOf(text: string): string {
  return framesOf(text)
    .filter(({ event }) => event === "output")
    .map(({ data }) => String(data["text"]))
    .join("");
}
