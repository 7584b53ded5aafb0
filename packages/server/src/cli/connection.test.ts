import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { apiKeyOf, serverUrl } from "./connection.ts";

const data = mkdtempSync(join(tmpdir(), "berth-cli-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));
writeFileSync(join(data, "admin.key"), "key-of-the-folder\n", { mode: 0o600 });
const load = (env: Record<string, string>) => loadConfig({ env: { BERTH_DATA: data, ...env } });

describe("the server's address", () => {
  it.each([
    [{}, "http://127.0.0.1:7420"],
    [{ BERTH_PORT: "9000" }, "http://127.0.0.1:9000"],
    [{ BERTH_HOST: "0.0.0.0" }, "http://127.0.0.1:7420"],
    [{ BERTH_HOST: "::1" }, "http://[::1]:7420"],
    [{ BERTH_URL: "https://berth.example", BERTH_PORT: "9000" }, "https://berth.example"],
  ])("with %j is %s", (env, url) => expect(serverUrl(load(env)).replace(/\/$/, "")).toBe(url));
});

describe("the key that is sent", () => {
  const admin = "a".repeat(24);
  it.each([
    ["the folder's", {}, "key-of-the-folder"],
    ["the preset one", { BERTH_ADMIN_KEY: admin }, admin],
    ["the given one", { BERTH_API_KEY: "given", BERTH_ADMIN_KEY: admin }, "given"],
    ["the folder's, for localhost", { BERTH_URL: "http://localhost:1" }, "key-of-the-folder"],
    ["none to a server elsewhere", { BERTH_URL: "https://berth.example", BERTH_ADMIN_KEY: admin }, null],
    [
      "the given one to a server elsewhere",
      { BERTH_URL: "https://berth.example", BERTH_API_KEY: "given" },
      "given",
    ],
    ["none without any", { BERTH_DATA: join(data, "nothing") }, null],
  ])("is %s", async (_, env, key) => expect(await apiKeyOf(load(env))).toBe(key));
});
