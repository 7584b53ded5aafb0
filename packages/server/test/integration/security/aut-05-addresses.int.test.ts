import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { startProgram } from "../../../src/roles/program.ts";
import { bodyOf, codeOf, send } from "../../support/server/api.ts";

const adminKey = "brt_the-admin-key-of-this-test";
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
});

type Ask = (
  from: string,
  key: string,
  path?: string,
  change?: { readonly method: "POST" | "PATCH"; readonly body: unknown },
) => ReturnType<typeof send>;

async function start(env: Record<string, string> = {}): Promise<Ask> {
  const data = await mkdtemp(join(tmpdir(), "berth-net-"));
  ends.push(() => rm(data, { recursive: true, force: true }));
  const flags = { data, port: "0", logLevel: "silent", drainTimeout: "0" };
  const settings = {
    BERTH_PROVIDERS: JSON.stringify([{ name: "scripted", kind: "scripted" }]),
    BERTH_ADMIN_KEY: adminKey,
    BERTH_OLLAMA_DISCOVERY: "false",
    BERTH_TRUSTED_PROXIES: "127.0.0.1",
    ...env,
  };
  const program = await startProgram(loadConfig({ flags, env: settings, cwd: data }));
  ends.push(() => program.stop());
  const { url } = program;
  return (from, apiKey, path = "/me", change) =>
    send(
      { url, apiKey },
      { method: change?.method ?? "GET", path, headers: { "x-forwarded-for": from }, body: change?.body },
    );
}

/** An organization of its own with one key. */
async function newOrg(ask: Ask): Promise<{ id: string; key: string }> {
  const me = bodyOf<{ org: { id: string } }>(await ask("10.0.0.1", adminKey));
  const account = await ask("10.0.0.1", adminKey, "/service-accounts", {
    method: "POST",
    body: { name: "robot", role: "admin" },
  });
  const { id: owner } = bodyOf<{ id: string }>(account, 201);
  const made = await ask("10.0.0.1", adminKey, "/api-keys", {
    method: "POST",
    body: { name: "robot", owner },
  });
  return { id: me.org.id, key: bodyOf<{ key: string }>(made, 201).key };
}

describe("AUT-05: who comes from where", () => {
  it("may use an organization only from its addresses, from one request to the next", async () => {
    const ask = await start();
    const { id, key } = await newOrg(ask);
    expect((await ask("198.51.100.7", key)).status).toBe(200);
    const ipAllow = ["203.0.113.0/24"];
    const change = { method: "PATCH", body: { settings: { ipAllow } } } as const;
    expect(bodyOf(await ask("10.0.0.1", adminKey, `/orgs/${id}`, change))).toMatchObject({
      settings: { ipAllow },
    });
    const refused = await ask("198.51.100.7", key);
    expect([refused.status, codeOf(refused)]).toEqual([403, "address_not_allowed"]);
    expect((await ask("1.2.3.4, 203.0.113.7", key)).status).toBe(200);
    expect((await ask("203.0.113.7, 198.51.100.7", key)).status).toBe(403);
    const nonsense = { method: "PATCH", body: { settings: { ipAllow: ["nonsense"] } } } as const;
    expect((await ask("10.0.0.1", adminKey, `/orgs/${id}`, nonsense)).status).toBe(422);
  });

  it("may use the admin key only from the server's list", async () => {
    const ask = await start({ BERTH_ADMIN_ALLOW: "10.0.0.0/8" });
    const { key } = await newOrg(ask);
    const refused = await ask("203.0.113.7", adminKey);
    expect([refused.status, codeOf(refused)]).toEqual([403, "address_not_allowed"]);
    expect((await ask("203.0.113.7", key)).status).toBe(200);
  });

  it("may ask as often as the operator says of the organization, and no administrator of it may say so", async () => {
    const ask = await start({ BERTH_RATE_READ: "10/1h" });
    const { id, key } = await newOrg(ask);
    const body = { settings: { rateFactor: 0.2 } };
    expect((await ask("10.0.0.1", key, `/orgs/${id}`, { method: "PATCH", body })).status).toBe(403);
    expect((await ask("10.0.0.1", adminKey, `/orgs/${id}`, { method: "PATCH", body })).status).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask("203.0.113.7", key)).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
  });
});
