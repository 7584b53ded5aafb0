import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownFolder } from "../../support/interruption/own-folder.ts";
import { mockProvider } from "./agents.ts";

/** The folder of one run of the faults, and what belongs into it. */
export interface Rig {
  readonly folder: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly apiKey: string;
  /** All that the servers see of the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Leaves the folder where it is, for people to look into. */
  keep(): void;
  /** Removes it, with what killed servers have left. */
  remove(): Promise<void>;
}

export interface RigOptions {
  readonly name: string;
  readonly providers?: readonly object[];
  readonly env?: Readonly<Record<string, string>>;
  /** A place of its own for the data, outside the folder. */
  readonly dataDir?: string;
}

export function createRig({ name, providers = [], env = {}, dataDir }: RigOptions): Rig {
  const folder = mkdtempSync(join(tmpdir(), `berth-faults-${name}-`));
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const apiKey = `key-${randomBytes(18).toString("hex")}`;
  const logFile = join(folder, "server.log");
  writeFileSync(logFile, "");
  const all = [{ name: "scripted", kind: "scripted" }, ...providers];
  return {
    folder,
    dataDir: dataDir ?? join(folder, "data"),
    logFile,
    apiKey,
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      TMPDIR: temporary,
      LANG: "C.UTF-8",
      BERTH_ADMIN_KEY: apiKey,
      BERTH_PROVIDERS: JSON.stringify(all),
      BERTH_OLLAMA_DISCOVERY: "false",
      BERTH_LOG_FORMAT: "json",
      BERTH_LOG_LEVEL: "warn",
      BERTH_LEASE: "4s",
      BERTH_SWEEP_INTERVAL: "300ms",
      BERTH_MAILBOX_POLL: "100ms",
      // What tools did is read from files on the host; sandboxes have a part of their own.
      BERTH_SANDBOX: "local-process",
      ...env,
    },
    ...ownFolder(folder, dataDir),
  };
}

/** Everything small, so that a short life meets snapshots, evictions and idle sessions. */
export const tightSettings = {
  BERTH_SNAPSHOT_EVERY: "12",
  BERTH_ACTIVATION_MAX_SESSIONS: "12",
  BERTH_ACTIVATION_CHECK_INTERVAL: "300ms",
  BERTH_ACTIVATION_IDLE_TTL: "1s",
  BERTH_WORKER_CONCURRENCY: "8",
  BERTH_DRAIN_TIMEOUT: "5s",
} as const;

export function mockProviderAt(url: string): object {
  return {
    name: mockProvider,
    kind: "openai-compatible",
    baseUrl: url,
    apiKey: "mock-key",
    models: [{ name: "nonce", contextWindow: 100_000 }],
  };
}
