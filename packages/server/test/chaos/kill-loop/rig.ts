import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endProcess, processesOf } from "../processes.ts";
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
  remove(): void;
}

const made = new Set<Rig>();

/** Ends what killed servers have left running and mounted, and removes the folders; for the end of the process. */
export function removeRigs(): void {
  for (const { dataDir, folder } of made) {
    for (const { pid } of processesOf(dataDir)) endProcess(pid);
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The workspaces of a server that had no time to unmount them; the last mounted first. */
function unmountBelow(folder: string): void {
  const mounts = "/proc/self/mounts";
  if (!existsSync(mounts)) return;
  const places = readFileSync(mounts, "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  for (const place of places.toReversed())
    if (place.startsWith(`${folder}/`)) spawnSync("umount", ["--lazy", place]);
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
  const rig: Rig = {
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
    keep: () => void made.delete(rig),
    remove() {
      made.delete(rig);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  made.add(rig);
  return rig;
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
