import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { findServer } from "./connection.ts";

const data = mkdtempSync(join(tmpdir(), "berth-cli-"));
afterAll(() => rmSync(data, { recursive: true, force: true }));
writeFileSync(join(data, "admin.key"), "key-of-the-folder\n", { mode: 0o600 });
const load = (env: Record<string, string>) => loadConfig({ env: { BERTH_DATA: data, ...env } });

const heldAt = (url: string, holder: object = {}) => {
  const folder = mkdtempSync(join(data, "held-"));
  writeFileSync(join(folder, "admin.key"), "key-of-the-folder\n", { mode: 0o600 });
  const lock = { pid: process.pid, host: hostname(), startedAt: "2030-01-01T00:00:00Z", url, ...holder };
  writeFileSync(join(folder, "berth.lock.json"), JSON.stringify(lock));
  return folder;
};
/** Above every process number. */
const noPid = 2 ** 30;

describe("the server's address", () => {
  it.each([
    [{}, "http://127.0.0.1:7420"],
    [{ BERTH_PORT: "9000" }, "http://127.0.0.1:9000"],
    [{ BERTH_HOST: "0.0.0.0" }, "http://127.0.0.1:7420"],
    [{ BERTH_HOST: "::1" }, "http://[::1]:7420"],
    [{ BERTH_URL: "https://berth.example", BERTH_PORT: "9000" }, "https://berth.example"],
  ])("with %j is %s", async (env, url) =>
    expect((await findServer(load(env))).url.replace(/\/$/, "")).toBe(url),
  );

  it.each([
    ["where its server answers", {}, {}, "http://127.0.0.1:9100"],
    [
      "this machine's own, of a server that listens everywhere",
      { url: "http://0.0.0.0:9100" },
      {},
      "http://127.0.0.1:9100",
    ],
    ["the given one all the same", {}, { BERTH_URL: "http://127.0.0.1:1" }, "http://127.0.0.1:1"],
    ["the default when its server has died", { pid: noPid }, {}, "http://127.0.0.1:7420"],
    ["the default when its server is on another machine", { host: "elsewhere" }, {}, "http://127.0.0.1:7420"],
  ])("of a data folder is %s", async (_, holder, env, url) => {
    const folder = heldAt("http://127.0.0.1:9100", holder);
    expect((await findServer(load({ BERTH_DATA: folder, ...env }))).url.replace(/\/$/, "")).toBe(url);
  });
});

describe("the key that is sent", () => {
  const admin = "a".repeat(24);
  const held = heldAt("http://127.0.0.1:9100");
  it.each([
    ["the folder's, to the server that holds it", { BERTH_DATA: held }, "key-of-the-folder"],
    [
      "the folder's, to it by name",
      { BERTH_DATA: held, BERTH_URL: "http://localhost:9100" },
      "key-of-the-folder",
    ],
    [
      "none to another server on this machine",
      { BERTH_DATA: held, BERTH_URL: "http://127.0.0.1:9101" },
      null,
    ],
    ["none when no server holds the folder", {}, null],
    ["the preset one", { BERTH_ADMIN_KEY: admin }, admin],
    ["the given one", { BERTH_API_KEY: "given", BERTH_ADMIN_KEY: admin }, "given"],
    ["none to a server elsewhere", { BERTH_URL: "https://berth.example", BERTH_ADMIN_KEY: admin }, null],
    [
      "the given one to a server elsewhere",
      { BERTH_URL: "https://berth.example", BERTH_API_KEY: "given" },
      "given",
    ],
    ["none without any", { BERTH_DATA: join(data, "nothing") }, null],
  ])("is %s", async (_, env, key) => expect((await findServer(load(env))).apiKey).toBe(key));

  it("is told from where it would have come", async () => {
    const { keyHint } = await findServer(load({ BERTH_DATA: join(data, "nothing") }));
    expect(keyHint).toContain(`There is no admin.key in ${join(data, "nothing")}.`);
    expect((await findServer(load({}))).keyHint).toContain("does not hold that folder");
  });
});
