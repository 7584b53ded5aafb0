import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import { openRefusingPort } from "../../../client/test/support/refusing-port.ts";
import { createTestTerminal } from "../../test/support/test-terminal.ts";
import { createActions } from "./context.ts";
import { checkNode, judgeDisk } from "./doctor/machine.ts";
import { runCli } from "./index.ts";
import { createProgram } from "./program.ts";

const data = mkdtempSync(join(tmpdir(), "berth-cli-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));

async function berth(...args: string[]) {
  const terminal = createTestTerminal();
  const code = await runCli(args, terminal.io);
  return { code, out: terminal.out(), err: terminal.err() };
}

/** The words that call each command. */
function wordsOf(command: Command): string[][] {
  const below = command.commands.filter((one) => one.name() !== "help");
  return [[], ...below.flatMap((one) => wordsOf(one).map((words) => [one.name(), ...words]))];
}

describe("the command line", { timeout: 60_000 }, () => {
  it("helps, with examples, on every command", async () => {
    const { io } = createTestTerminal();
    const commands = wordsOf(createProgram(createActions(io), io));
    expect(commands.length).toBeGreaterThan(80);
    for (const command of commands) {
      const { code, out } = await berth(...command, "--help");
      expect([command, code, /Examples?:/.test(out)]).toEqual([command, 0, true]);
    }
    expect((await berth("budget", "raise", "--help")).out).toContain(
      "./berth budget raise bud_… --limit 80usd",
    );
  });

  it.each([
    [["no-such-command"], "unknown command"],
    [["chat", "--no-such-flag"], "unknown option"],
    [["run"], "missing required argument"],
    [["agents", "create"], "needs a name and a model"],
    [["sessions", "rewind", "ses_x", "soon"], "is no event number"],
    [["approvals", "edit", "apr_x"], "--input"],
  ])("%j is refused with a sentence", async (args, message) => {
    const { code, out, err } = await berth(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(out).toBe("");
  });

  it("ends a start with a wrong setting as a wrong use", async () => {
    expect(await berth("serve", "--data", data, "--port", "none")).toMatchObject({ code: 2 });
  });

  it("ends with 3 and says how to start one when no server answers", async () => {
    await using nobody = await openRefusingPort();
    const plain = await berth("models", "--url", nobody.url);
    expect(plain).toMatchObject({ code: 3, out: "" });
    expect(plain.err).toContain("npm start");
    const json = await berth("models", "--url", nobody.url, "--json");
    expect(json).toMatchObject({ code: 3, out: "" });
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: "unreachable" } });
  });

  it("tells how to give a key when the server wants one, and repeats no control characters of its", async () => {
    const problem = {
      status: 401,
      code: "unauthenticated",
      detail: "A key is needed.\u001b[2J",
      requestId: "req_1",
    };
    const server = createServer((_, response) => response.writeHead(401).end(JSON.stringify(problem)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, err } = await berth("models", "--url", url, "--data", data);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(code).toBe(1);
    expect(err).toContain("A key is needed.[2J");
    expect(err).toContain("BERTH_API_KEY");
  });
});

describe("berth config", () => {
  it("prints the page of all settings, and says what is set", async () => {
    expect((await berth("config", "docs")).out).toMatch(/^# Configuration/);
    const shown = await berth("config", "show", "--json", "--data", data);
    expect(JSON.parse(shown.out)).toContainEqual({ name: "data", source: "flag", value: data });
    expect((await berth("config", "check", "--data", data)).code).toBe(0);
  });

  it("ends with 2 for a configuration that would not start", async () => {
    const file = join(data, "bad.json");
    writeFileSync(file, '{"prot": 1}');
    const { code, err } = await berth("config", "check", "--config", file);
    expect(code).toBe(2);
    expect(err).toContain("prot in");
  });
});

describe("berth migrate", { timeout: 60_000 }, () => {
  it("makes the store, and then finds it up to date", async () => {
    const folder = join(data, "migrated");
    const first = JSON.parse((await berth("migrate", "--data", folder, "--json")).out) as { applied: number };
    expect(first.applied).toBeGreaterThan(0);
    expect(JSON.parse((await berth("migrate", "--data", folder, "--json")).out)).toMatchObject({
      applied: 0,
    });
  });
});

describe("berth doctor", { timeout: 60_000 }, () => {
  it("finds what is wrong and says what to do", async () => {
    const folder = mkdtempSync(join(data, "doctor-"));
    writeFileSync(join(folder, "admin.key"), "key\n", { mode: 0o600 });
    chmodSync(join(folder, "admin.key"), 0o644);
    await using nobody = await openRefusingPort();
    const { code, out } = await berth("doctor", "--data", folder, "--url", nobody.url, "--json");
    const findings = JSON.parse(out) as { name: string; status: string; fix?: string }[];
    expect(code).toBe(1);
    const status = Object.fromEntries(findings.map((one) => [one.name, one.status]));
    expect(status).toMatchObject({
      configuration: "ok",
      node: "ok",
      "data folder": "ok",
      "admin key": "fail",
      clock: "ok",
      server: "warn",
    });
    for (const one of findings)
      expect([one.name, one.status === "ok" || one.fix !== undefined]).toEqual([one.name, true]);
  });

  it.each([
    ["20.20.2", "fail"],
    ["22.19.0", "fail"],
    ["24.6.0", "fail"],
    ["24.7.0", "ok"],
    ["25.0.0", "ok"],
  ])("takes Node %s as %s", (version, status) => expect(checkNode(version).status).toBe(status));

  it.each([
    [2 * 1024 ** 3, "ok"],
    [512 * 1024 ** 2, "warn"],
    [10 * 1024 ** 2, "fail"],
  ])("takes %i free bytes as %s", (free, status) => expect(judgeDisk(free).status).toBe(status));
});
