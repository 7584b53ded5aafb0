import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@berth/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newKeyText } from "../../../src/auth/server-keys.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { startProgram } from "../../../src/roles/program.ts";

const place = "https://93.184.215.14/v1";

describe("the master key of a server", () => {
  let data = "";
  const stops: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "berth-master-"));
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await rm(data, { recursive: true });
  });

  async function start(keys: Readonly<Record<string, string>>) {
    const quiet = { BERTH_OLLAMA_DISCOVERY: "false", BERTH_LOG_LEVEL: "silent", BERTH_DRAIN_TIMEOUT: "0" };
    const apiKey = "brt_the-admin-key-of-this-test";
    const env = { ...quiet, BERTH_ADMIN_KEY: apiKey, ...keys };
    const program = await startProgram(loadConfig({ flags: { port: "0", data }, env, cwd: data }));
    stops.push(() => program.stop());
    return { client: createClient({ baseUrl: program.url, apiKey }), stop: () => program.stop() };
  }

  it("DAT-01: is changed by a rotation; with a wrong one the server does not start", async () => {
    const [first, second] = [newKeyText(), newKeyText()];
    const before = await start({ BERTH_MASTER_KEY: first });
    await before.client.modelProviders.put("acme", { baseURL: place, apiKey: "CANARY_master_0123" });
    const { masterKey } = await before.client.vault.status();
    await before.stop();

    const wrong = start({ BERTH_MASTER_KEY: second });
    await expect(wrong).rejects.toMatchObject({ code: "wrong_master_key" });
    await expect(wrong).rejects.toThrow(/Set BERTH_MASTER_KEY to the one that sealed them/);

    const between = await start({ BERTH_MASTER_KEY: second, BERTH_PREVIOUS_MASTER_KEY: first });
    expect((await between.client.vault.status()).dataKeys).toEqual({ total: 1, pending: 1 });
    const { rewrapped, status } = await between.client.vault.rotate();
    expect([rewrapped, status.dataKeys.pending]).toEqual([1, 0]);
    expect(status.masterKey).not.toBe(masterKey);
    await between.stop();

    await expect(start({ BERTH_MASTER_KEY: first })).rejects.toMatchObject({ code: "wrong_master_key" });
    const after = await start({ BERTH_MASTER_KEY: second });
    expect((await after.client.modelProviders.list()).items).toMatchObject([{ name: "acme", hasKey: true }]);
    // Sealed by the old one, opened by the new one: half of it stays when the other half is written.
    await after.client.modelProviders.put("acme", { baseURL: place, headers: { "x-a": "b" } });
    expect((await after.client.modelProviders.list()).items).toMatchObject([
      { hasKey: true, headers: ["x-a"] },
    ]);
  });
});
