// What people run in a sandbox has the variables that the agent's own tools have there: placeholders, and never the secrets.
import { describe, expect, it, vi } from "vitest";
import { script, useCliRig } from "../../support/cli/cli-rig.ts";

const canary = "CANARY_variable_7741";
const print = 'printf "token=%s;" "$API_TOKEN"; env | grep -c CANARY_variable';

describe("the variables of an agent's secrets", { timeout: 60_000 }, () => {
  const start = useCliRig();

  async function setUp() {
    const rig = await start();
    await rig.client.sandboxSecrets.put("api", { value: canary, hosts: ["api.example.com"] });
    const sandbox = {
      egress: [{ host: "api.example.com" }],
      secrets: [{ env: "API_TOKEN", secret: "api", hosts: ["api.example.com"] }],
    };
    await rig.agent({ sandbox, tools: ["bash_run"] });
    const { id } = await rig.client.sessions.create({ agent: "tester" });
    const box = await rig.client.sandboxes.create(id);
    return { ...rig, sessionId: id, box };
  }

  it("are in commands, scripts, processes and terminals, by CLI and by API", async () => {
    const rig = await setUp();
    const { client, sessionId, box } = rig;
    const ran = await rig.berth("sandbox", "exec", sessionId, print);
    const placeholder = /token=(berth_secret_[\w-]{32});/.exec(ran.out)?.[1] ?? "none";
    const told = `token=${placeholder};0\n`;
    expect(ran.out).toBe(told);
    // The agent's own tool.
    const call = [{ tool: "bash_run", input: { command: print } }];
    await client.session(sessionId).ask(script(call, { text: "done" }));
    const { items } = await client.session(sessionId).log({ types: ["agent.tool_result"] });
    expect(JSON.stringify(items)).toContain(`token=${placeholder};0`);
    expect((await rig.piped(print, "sandbox", "shell", sessionId)).out).toBe(told);
    expect((await client.sandboxes.exec(box.id, { command: print })).output).toBe(told);
    const { id: process } = await client.sandboxes.spawn(box.id, { command: print });
    await vi.waitFor(
      async () => expect((await client.sandboxes.process(box.id, process)).text).toBe(told),
      10_000,
    );
    const { terminal, ended } = rig.at("sandbox", "shell", sessionId);
    terminal.type(`${print}\n`);
    await terminal.until(`token=${placeholder};0`);
    terminal.type("exit 0\n");
    expect(await ended).toBe(0);
  });

  it("are those of now: a secret that is put again has another placeholder", async () => {
    const { client, box } = await setUp();
    const of = async () => (await client.sandboxes.exec(box.id, { command: print })).output;
    const before = await of();
    await client.sandboxSecrets.put("api", { value: `${canary}-2`, hosts: ["api.example.com"] });
    const after = await of();
    expect(after).toMatch(/^token=berth_secret_[\w-]{32};0\n$/);
    expect(after).not.toBe(before);
    const own = await client.sandboxes.exec(box.id, { command: print, environment: { API_TOKEN: "mine" } });
    expect(own.output).toBe("token=mine;0\n");
  });
});
