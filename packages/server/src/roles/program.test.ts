import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRefusingPort } from "../../../client/test/support/refusing-port.ts";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { newKeyText } from "../auth/server-keys.ts";
import { announcement } from "../cli/serve.ts";
import { loadConfig } from "../config/load.ts";
import type { Clock } from "../lib/clock.ts";
import { startProgram } from "./program.ts";

async function takenPort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise((resolve) => server.close(resolve));
  return { port, close };
}

describe("a start", { timeout: 60_000 }, () => {
  let data = "";
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "berth-start-"));
  });
  afterEach(() => rm(data, { recursive: true }));

  const start = (
    env: Record<string, string>,
    { flags, ...overrides }: { flags?: Record<string, string>; clock?: Clock } = {},
  ) => {
    const quiet = { BERTH_OLLAMA_DISCOVERY: "false", BERTH_LOG_LEVEL: "silent", BERTH_DRAIN_TIMEOUT: "0" };
    return startProgram(
      loadConfig({ flags: { port: "0", ...flags, data }, env: { ...quiet, ...env }, cwd: data }),
      overrides,
    );
  };

  it("says that a provider does not answer, and not that a key is missing", async () => {
    await using nobody = await openRefusingPort();
    // A refusal comes at once; of a process that stood still, the clock would say first that the 2 s have passed.
    const program = await start({ OPENAI_BASE_URL: `${nobody.url}/v1` }, { clock: createManualClock() });
    const told = announcement(program);
    await program.stop();
    expect(told).toContain(
      `openai at ${nobody.url}/v1 does not answer (ECONNREFUSED): name a model of it with --default-model openai/NAME or start it`,
    );
    expect(told).not.toContain("OPENAI_API_KEY");
  });

  it("does not go on without the system that sandboxes were to see", async () => {
    const wrong = start({ BERTH_SANDBOX_ROOTFS: join(data, "none") });
    await expect(wrong).rejects.toMatchObject({ code: "sandbox_unavailable" });
  });

  it("says where commands of agents run, and what isolates them where nothing does", async () => {
    const program = await start({ BERTH_SANDBOX: "local-process" });
    await program.stop();
    const told = announcement(program);
    expect(told).toContain(
      "  tools  run as this server's own user, not isolated: to isolate them run apt-get install bubblewrap",
    );
    const sandboxes = {
      provider: "bubblewrap",
      isolated: true,
      label: "isolated by bubblewrap",
      reasons: ["No control groups: do this."],
      unavailable: null,
    };
    expect(announcement({ ...program, sandboxes })).toContain(
      "  tools  run in sandboxes, isolated by bubblewrap\n         No control groups: do this.\n",
    );
  });

  it("says why nothing isolates them where that was left to the machine", async () => {
    await mkdir(join(data, "sandbox"));
    await writeFile(join(data, "sandbox", "trash"), "where a folder of bubblewrap belongs");
    const program = await start({});
    await program.stop();
    expect(announcement(program)).toMatch(/ {9}Sandboxes by bubblewrap cannot be had: .*trash/);
  });

  it("asks nobody when a default model is named", async () => {
    const program = await start(
      { OPENAI_BASE_URL: "http://127.0.0.1:1/v1" },
      { flags: { defaultModel: "openai/mine" } },
    );
    await program.stop();
    expect(program).toMatchObject({ defaultModel: "openai/mine", modelProblems: [] });
  });

  it("SBX-23: in mode multi needs its own keys, runs no tool unisolated and says so", async () => {
    await expect(start({ BERTH_MODE: "multi" })).rejects.toMatchObject({ code: "missing_secrets" });
    const keys = {
      BERTH_MASTER_KEY: newKeyText(),
      BERTH_KEY_PEPPER: newKeyText(),
      BERTH_AUDIT_KEY: newKeyText(),
    };
    const weak = { ...keys, BERTH_MODE: "multi", BERTH_KEY_PEPPER: "change-me" };
    await expect(start(weak)).rejects.toMatchObject({ code: "weak_secret" });
    const program = await start({ ...keys, BERTH_MODE: "multi", BERTH_SANDBOX: "none" });
    const ready = await (await fetch(`${program.url}/readyz`)).json();
    await program.stop();
    expect(announcement(program)).toMatch(
      / {2}tools {2}commands are refused: .+\n.+apt-get install bubblewrap/,
    );
    expect(ready).toMatchObject({ checks: { sandbox: expect.stringContaining("unavailable") } });
  });

  it("keeps no key that nobody was shown", async () => {
    const { port, close } = await takenPort();
    await expect(start({}, { flags: { port: String(port) } })).rejects.toMatchObject({ code: "port_in_use" });
    expect(existsSync(join(data, "admin.key"))).toBe(false);
    await close();
    const first = await start({});
    await first.stop();
    expect(announcement(first)).toContain(`key    ${first.newAdminKey}`);
    const second = await start({});
    await second.stop();
    expect([first.newAdminKey, second.newAdminKey]).toEqual([expect.stringMatching(/^brt_/), null]);
  });

  it("leaves an older key where it is when it fails", async () => {
    await (await start({})).stop();
    await expect(start({}, { flags: { defaultModel: "nobody/x" } })).rejects.toMatchObject({
      code: "unknown_model",
    });
    expect(existsSync(join(data, "admin.key"))).toBe(true);
  });
});
