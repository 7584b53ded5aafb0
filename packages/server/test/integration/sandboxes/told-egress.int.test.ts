// A server and a sandbox host as operators start them: what is refused on the host is counted and told where the server is.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { newKeyText } from "../../../src/auth/server-keys.ts";
import { newKeyPair } from "../../../src/sandbox/protocol/keys.ts";
import { startHostProcess } from "../../support/sandbox/host-process.ts";
import { bodyOf, type Door, send } from "../../support/server/api.ts";
import { startServer } from "../../support/server/server-process.ts";

const root = join(import.meta.dirname, "../../../../..");

async function withServer(use: (door: Door, hostLog: () => string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "berth-told-"));
  const file = (name: string) => join(folder, name);
  const keys = newKeyPair();
  await writeFile(file("pub.pem"), keys.publicKey);
  await writeFile(file("key.pem"), keys.privateKey, { mode: 0o600 });
  const host = await startHostProcess([
    `--data=${file("host")}`,
    "--sandbox-host-name=a",
    `--sandbox-host-trust=${file("pub.pem")}`,
    "--drain-timeout=10s",
  ]);
  const apiKey = newKeyText();
  const env = {
    PATH: process.env["PATH"] ?? "",
    BERTH_ADMIN_KEY: apiKey,
    BERTH_OLLAMA_DISCOVERY: "false",
    BERTH_SANDBOX_HOSTS: `a=${host.url}`,
    BERTH_SANDBOX_HOST_KEY_FILE: file("key.pem"),
  };
  const starting = startServer({ root, dataDir: file("data"), env, logFile: file("log") });
  try {
    await use({ url: (await starting.ready).url, apiKey }, () => host.written());
  } finally {
    await starting.end("SIGTERM");
    await host.end("SIGTERM");
    await rm(folder, { recursive: true });
  }
}

it("is in the metrics and the audit log of the server, once, also of a sandbox that is ended at once", async () => {
  await withServer(async (door, hostLog) => {
    const post = async (path: string, body: unknown) =>
      bodyOf<{ id: string }>(await send(door, { method: "POST", path, body }), 200, 201);
    await post("/agents", { name: "asker", model: "demo/tour" });
    const session = await post("/sessions", { agent: "asker" });
    const { id } = await post("/sandboxes", { sessionId: session.id });
    const ask = (host: string) => `python3 -c 'import urllib.request as u; u.urlopen("http://${host}/")'`;
    const command = `${ask("one.test")}; ${ask("two.test")}; ${ask("one.test")}`;
    await post(`/sandboxes/${id}/exec`, { command, timeoutMs: 30_000 });
    await send(door, { method: "DELETE", path: `/sandboxes/${id}` });

    const metrics = async () => {
      const headers = { authorization: `Bearer ${door.apiKey}` };
      return await (await fetch(`${door.url}/metrics`, { headers })).text();
    };
    const series = 'berth_sandbox_egress_total{decision="denied",reason="not_listed"}';
    await expect.poll(metrics, { timeout: 10_000 }).toContain(`${series} 3`);
    const audit = async () => {
      const reply = await send(door, { method: "GET", path: "/audit-log?action=sandbox.egress_denied" });
      return bodyOf<{ items: { target: unknown; details: unknown }[] }>(reply, 200).items;
    };
    const entry = (host: string) => ({
      target: { type: "sandbox", id },
      details: { host, port: 80, method: "GET", reason: "not_listed", sessionId: session.id },
    });
    await expect.poll(audit).toMatchObject([entry("two.test"), entry("one.test")]);
    expect(hostLog()).toContain("one.test");
    expect(await metrics()).not.toContain("berth_sandbox_egress_lost_total{");
  });
}, 60_000);
