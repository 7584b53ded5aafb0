import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCli } from "../../../src/cli/index.ts";
import { type Authority, createAuthority } from "../../support/network/certificates.ts";
import { type ServerProcess, startServer } from "../../support/server/server-process.ts";
import { createTestTerminal } from "../../support/test-terminal.ts";

const apiKey = "brt_the-admin-key-of-this-test";
const names = [
  { type: "dns", value: "localhost" },
  { type: "ip", value: "127.0.0.1" },
] as const;

let folder: string;
let authority: Authority;
let server: ServerProcess;
const at = (file: string) => join(folder, file);

async function issue(): Promise<string> {
  const { cert, key, serialNumber } = await authority.issue("berth", { names });
  await Promise.all([writeFile(at("cert.pem"), cert), writeFile(at("key.pem"), key, { mode: 0o600 })]);
  return serialNumber;
}

/** Serial number of the certificate that a new connection is shown. */
function shown(): Promise<string> {
  const port = Number(new URL(server.url).port);
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.cert });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase());
      socket.destroy();
    });
  });
}

async function berth(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = createTestTerminal({ env: { BERTH_API_KEY: apiKey } });
  const code = await runCli([...args, "--data", at("data")], terminal.io);
  return { code, out: terminal.out(), err: terminal.err() };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-cli-tls-"));
  authority = await createAuthority("An authority of one's own");
  await writeFile(at("ca.pem"), authority.cert);
  await issue();
  const env = {
    BERTH_ADMIN_KEY: apiKey,
    BERTH_OLLAMA_DISCOVERY: "false",
    BERTH_TLS_CERT: at("cert.pem"),
    BERTH_TLS_KEY: at("key.pem"),
  };
  const root = join(import.meta.dirname, "../../../../..");
  const options = { root, dataDir: at("data"), env, logFile: at("server.log") };
  server = await startServer(options).ready;
});
afterEach(async () => {
  await server.end("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

describe("a server that speaks TLS", () => {
  it("is found by the command line, which trusts the authority that it is told to trust and no other", async () => {
    expect(server.url).toMatch(/^https:/);
    expect(await berth("models", "--ca", at("ca.pem"))).toMatchObject({ code: 0, err: "" });
    const untrusted = await berth("models");
    expect(untrusted).toMatchObject({ code: 3, out: "" });
    expect(untrusted.err).toContain("--ca");
    const missing = await berth("models", "--ca", at("nowhere.pem"));
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("--ca names") });
  });

  it("is examined by the doctor, who says what is missing", async () => {
    const trusted = await berth("doctor", "--ca", at("ca.pem"));
    expect(trusted.out).toMatch(/ok +server +Berth/);
    const untrusted = await berth("doctor");
    expect(untrusted.code).toBe(1);
    expect(untrusted.out).toMatch(/fail +server +something answers at https:.*\n +.*--ca FILE/);
  });

  it("takes new files on SIGHUP, and lives on when they do not work", async () => {
    const first = await shown();
    const second = await issue();
    expect(second).not.toBe(first);
    process.kill(server.pid, "SIGHUP");
    await vi.waitFor(async () => expect(await shown()).toBe(second), { timeout: 10_000 });
    await writeFile(at("cert.pem"), "broken");
    process.kill(server.pid, "SIGHUP");
    const log = async () =>
      expect(await readFile(at("server.log"), "utf8")).toContain("the old ones stay in use");
    await vi.waitFor(log, { timeout: 10_000 });
    expect(await shown()).toBe(second);
  });
});
