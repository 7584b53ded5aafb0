import { describe, expect, it } from "vitest";
import { askHost } from "../../support/sandbox/ask-host.ts";
import { script, useCliRig } from "../../support/cli/cli-rig.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import { portOpen } from "../../../src/tools/builtin/port-open.ts";
import type { ToolContext } from "../../../src/tools/tool.ts";

const serve = "echo shown by the agent > index.html; exec python3 -u -m http.server 8124 --bind 127.0.0.1";
const ready = "until curl -s -o /dev/null http://127.0.0.1:8124/; do sleep 0.1; done";

describe("port_open", { timeout: 60_000 }, () => {
  const start = useCliRig();

  it("gives an agent an address that a browser reaches, as long as the session's owner may use it", async () => {
    const rig = await start();
    await rig.agent({ tools: ["bash_run", "port_open"] });
    const { id } = await rig.client.sessions.create({ agent: "tester" });
    const told = await rig.client
      .session(id)
      .ask(
        script(
          [{ tool: "bash_run", input: { command: serve, background: true } }],
          [{ tool: "bash_run", input: { command: ready } }],
          [{ tool: "port_open", input: { port: 8124, minutes: 5 } }],
          { text: "done" },
        ),
      );
    expect(told.text).toBe("done");
    const { items } = await rig.client.session(id).log({ types: ["agent.tool_result"] });
    const text = JSON.stringify(items.at(-1)?.data);
    const address = new URL(
      /http:\/\/p[0-9a-z]{25}\.localhost:\d+\/\?berth_token=[\w.~-]+/.exec(text)?.[0] ?? "",
    );
    expect(text).toContain("It is good until ");
    expect(text).not.toContain("Nothing listens");
    const port = Number(new URL(rig.url).port);
    const { headers } = await askHost(port, address);
    const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    const page = await askHost(port, new URL("/", address), { headers: { cookie } });
    expect([page.status, page.text]).toEqual([200, "shown by the agent\n"]);
    const [opened] = (await rig.client.audit.list({ action: "sandbox.port_opened" })).items;
    expect(opened).toMatchObject({ credential: `agent:${id}` });
    const ports = await rig.berth("sandbox", "ports", id, "--close", "8124");
    expect(ports.code).toBe(0);
    expect((await askHost(port, new URL("/", address), { headers: { cookie } })).status).toBe(403);
  });

  it("says why it cannot where previews have no domain, and that nothing listens yet", async () => {
    const sandbox = { id: "sbx_1", listening: async () => [] } as Partial<Sandbox> as Sandbox;
    const signal = new AbortController().signal;
    const context = (openPort: ToolContext["openPort"]) =>
      ({ signal, sandbox: async () => sandbox, openPort }) as Partial<ToolContext> as ToolContext;
    const message = "Previews need a domain of their own.";
    const refused = context(() => Promise.reject(new BerthError("preview_not_configured", message)));
    expect(await portOpen.run({ port: 3000 }, refused)).toMatchObject({ ok: false, message });
    const given = context(async ({ port, ttlMs }) => ({ url: `http://p:${port}`, expiresAt: `${ttlMs}` }));
    expect(await portOpen.run({ port: 3000 }, given)).toEqual({
      ok: true,
      content:
        "http://p:3000\nIt is good until 3600000.\nNothing listens on port 3000 yet: start the program, then it is there.",
    });
  });
});
