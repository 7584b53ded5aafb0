import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/index.ts";
import { script, scriptModel, useCliRig } from "../../support/cli/cli-rig.ts";
import { createTestTerminal } from "../../support/test-terminal.ts";

const start = useCliRig();
interface Shown {
  readonly id: string;
  readonly sessionId: string;
  readonly name: string;
  readonly status: string;
}
type Ended = { readonly code: number; readonly out: string; readonly err: string };
function parsed({ code, out, err }: Ended): Shown {
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as Shown;
}
function listed(ended: Ended): readonly Shown[] {
  return parsed(ended) as unknown as readonly Shown[];
}

describe("berth agents", () => {
  it("makes, shows, changes and archives agents", async () => {
    const rig = await start();
    const file = join(rig.data, "agent.json");
    await writeFile(file, JSON.stringify({ name: "helper", model: scriptModel, instructions: "old" }));
    const made = await rig.berth("agents", "create", "--file", file, "--tools", "fs_*, todo_read", "--json");
    expect(parsed(made)).toMatchObject({ name: "helper", version: 1, tools: ["fs_*", "todo_read"] });
    const updated = await rig.berth(
      "agents",
      "update",
      "helper",
      "--instructions",
      "new",
      "--mode",
      "readonly",
      "--json",
    );
    expect(parsed(updated)).toMatchObject({
      version: 2,
      instructions: "new",
      tools: ["fs_*", "todo_read"],
      permissions: { mode: "readonly" },
    });
    expect((await rig.berth("agents", "list")).out).toMatch(/helper +2 +scripted\/script/);
    expect((await rig.berth("agents", "show", "helper")).out).toContain('"instructions": "new"');
    expect((await rig.berth("agents", "archive", "helper")).code).toBe(0);
    expect(listed(await rig.berth("agents", "list", "--json"))).toEqual([]);
    const wrong = await rig.berth("agents", "create", "--name", "Wrong Name", "--model", scriptModel);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain("/name");
  });
});

describe("berth agents update", () => {
  it("takes what show prints, and refuses to change nothing", async () => {
    const rig = await start();
    await rig.agent({ instructions: "brief" });
    const file = join(rig.data, "shown.json");
    await writeFile(file, (await rig.berth("agents", "show", "tester")).out);
    const updated = await rig.berth("agents", "update", "tester", "--file", file, "--mode", "auto");
    expect(updated).toMatchObject({ code: 0, err: "" });
    expect(await rig.berth("agents", "update", "tester")).toMatchObject({ code: 2, out: "" });
  });
});

describe("berth sessions at a terminal", () => {
  it("deletes only after a yes, and numbers what it shows", async () => {
    const rig = await start();
    await rig.agent();
    const { sessionId: id } = parsed(await rig.berth("run", "hello", "--agent", "tester", "--json"));
    const { out } = await rig.berth("sessions", "tail", id, "--from-start", "--until-idle");
    expect(out).toMatch(/^#\d+ echo: hello/m);
    expect((await rig.berth("sessions", "list", "--agent", "nobody")).out).not.toContain("Start one");
    const kept = rig.at("sessions", "delete", id);
    await kept.terminal.until("for good?");
    kept.terminal.type("n\r");
    expect(await kept.ended).toBe(1);
    const gone = rig.at("sessions", "delete", id);
    await gone.terminal.until("for good?");
    gone.terminal.type("y\r");
    expect(await gone.ended).toBe(0);
    expect((await rig.client.sessions.list()).items).toEqual([]);
  });
});

describe("berth sessions", () => {
  it("tails into a pipe all that the log holds, by numbers, and nothing of it to standard error", async () => {
    const rig = await start();
    await rig.agent({ tools: ["bash_run"] });
    const task = script(
      [{ thinking: "hm" }, { text: "first" }, { tool: "bash_run", input: { command: "echo hi" } }],
      {
        text: "second",
      },
    );
    const run = await rig.berth("run", task, "--agent", "tester", "--yes", "--json");
    const { sessionId: id } = parsed(run);
    const { code, out, err } = await rig.berth("sessions", "tail", id, "--from-start", "--until-idle");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.trimEnd().split("\n");
    expect(lines.filter((line) => !/^#\d+ /.test(line))).toEqual([]);
    const all = lines.map((line) => line.replace(/^#\d+ +/, ""));
    expect(all[0]).toContain("> {");
    const expected = ["hm", "first", "● bash_run", "✓ bash_run", "second"];
    expect(all.filter((line) => expected.some((word) => line.startsWith(word)))).toHaveLength(
      expected.length,
    );
  });

  it("lists, shows, tails, exports, forks, rewinds, archives and deletes", async () => {
    const rig = await start();
    await rig.agent();
    const { sessionId: id } = parsed(await rig.berth("run", "hello", "--agent", "tester", "--json"));
    expect(
      listed(await rig.berth("sessions", "list", "--agent", "tester", "--json")).map((one) => one.id),
    ).toEqual([id]);
    expect((await rig.berth("sessions", "show", id)).out).toContain("tester (version 1)");
    const tail = await rig.berth("sessions", "tail", id, "--from-start", "--until-idle", "--json");
    const lines = tail.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; seq?: number });
    const seqs = lines.flatMap(({ seq }) => seq ?? []);
    expect(seqs).toEqual(seqs.map((_, at) => at + 1));
    expect(lines.at(-1)?.type).toBe("run.finished");
    const exported = (await rig.berth("sessions", "export", id)).out.trim().split("\n");
    expect(exported.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(
      exported.map((_, at) => at + 1),
    );
    const forked = await rig.berth("sessions", "fork", id, "--seq", "1", "--title", "copy", "--json");
    expect(parsed(forked)).toMatchObject({ title: "copy", forkedFrom: { sessionId: id, seq: 1 } });
    expect((await rig.berth("sessions", "rewind", id, "1")).out).toContain("back at event 1");
    expect((await rig.berth("sessions", "archive", id)).out).toContain("archived");
    expect(parsed(await rig.berth("sessions", "show", id, "--json"))).toMatchObject({ status: "archived" });
    expect((await rig.berth("sessions", "delete", id)).code).toBe(0);
    const gone = await rig.berth("sessions", "show", id, "--json");
    expect(gone.code).toBe(1);
    expect(JSON.parse(gone.err)).toMatchObject({ error: { code: "session_not_found" } });
    expect((await rig.berth("sessions", "release", parsed(forked).id)).code).toBe(1);
  });
});

describe("berth approvals", () => {
  it("lists, shows and decides, once", async () => {
    const rig = await start();
    await rig.agent({ tools: ["bash_run"], permissions: { mode: "approval" } });
    const call = (command: string) => ({ tool: "bash_run", input: { command } });
    const input = script([call("echo a"), call("echo b"), call("echo c")], { text: "over" });
    const { id, input: sent } = await rig.client.sessions.create({ agent: "tester", input });
    const joined = rig.client.session(id).join(sent?.runId ?? "");
    const found: string[] = [];
    for await (const event of rig.client.session(id).events()) {
      if (event.type === "approval.requested") found.push(event.data.approvalId);
      if (found.length === 3) break;
    }
    const [first = "", second = "", third = ""] = found;
    expect(listed(await rig.berth("approvals", "list", "--json"))).toHaveLength(3);
    expect((await rig.berth("approvals", "show", first)).out).toContain('"command": "echo a"');
    expect((await rig.berth("approvals", "allow", first)).out).toContain("allowed");
    expect((await rig.berth("approvals", "deny", second, "--note", "no")).out).toContain("denied");
    expect((await rig.berth("approvals", "edit", third, "--input", '{"command":"echo z"}')).out).toContain(
      "edited",
    );
    const again = await rig.berth("approvals", "deny", first);
    expect(again.code).toBe(1);
    expect(again.err).not.toBe("");
    const { toolCalls, text } = await joined;
    expect(text).toBe("over");
    expect(toolCalls.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(JSON.stringify(toolCalls[2]?.content)).toContain("z");
  });
});

describe("berth models, tools, doctor", () => {
  it("tell what the server has", async () => {
    const rig = await start();
    expect((await rig.berth("models")).out).toContain(scriptModel);
    expect((await rig.berth("tools", "--json")).out).toContain('"bash_run"');
    const findings = listed(await rig.berth("doctor", "--json"));
    expect(findings.find(({ name }) => name === "server")?.status).toBe("ok");
    expect(findings.find(({ name }) => name === "sandbox")?.status).toBe("ok");
  });

  it("do not take a server for another program because it shows a member less", async () => {
    const rig = await start();
    const { id } = await rig.client.serviceAccounts.create({ name: "ci", role: "member" });
    const { key } = await rig.client.apiKeys.create({ name: "ci", owner: id });
    const terminal = createTestTerminal({ env: { BERTH_API_KEY: key } });
    expect(await runCli(["doctor", "--url", rig.url, "--data", rig.data], terminal.io)).toBe(0);
    expect(terminal.out()).toMatch(/ok +server +a Berth answers/);
  });
});

describe("berth run without an agent", () => {
  it("makes one, and asks for nothing that could look like a refused access", async () => {
    const rig = await start();
    const task = script([{ text: "hello" }]);
    expect(await rig.berth("run", task, "--model", scriptModel)).toMatchObject({ code: 0, out: "hello\n" });
    expect(await rig.berth("run", task, "--model", scriptModel)).toMatchObject({ code: 0, out: "hello\n" });
    expect((await rig.client.audit.list({ outcome: "refused" })).items).toEqual([]);
  });
});
