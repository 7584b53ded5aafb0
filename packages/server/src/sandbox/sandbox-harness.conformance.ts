import { randomUUID } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { CreateOptions, Sandbox, SandboxPolicy, SandboxProvider, SandboxRef } from "./sandbox.ts";

export interface SandboxHarness {
  readonly provider: SandboxProvider;
  /** Of the provider's hosts, where the tests make their sandboxes. */
  readonly host: string;
  /** Path, as commands in a sandbox see it, of a file outside every workspace that holds `secret`; null when none can be seen. */
  readonly outsideFile: string | null;
  /** What the outside file holds now. */
  readOutside(): Promise<string>;
  close(): Promise<void>;
}

/** `clock`: what the provider's own clock shall be; the system's unless told. */
export type CreateHarness = (options?: { clock?: Clock }) => Promise<SandboxHarness>;

export const secret = "the outside's own text";
export const deployment = "deployment-a";

const mebibyte = 1024 * 1024;
export const policy: SandboxPolicy = {
  limits: {
    memoryBytes: 512 * mebibyte,
    cpus: 1,
    pids: 128,
    diskBytes: 1024 * mebibyte,
    inodes: 100_000,
    tmpBytes: 256 * mebibyte,
    shmBytes: 64 * mebibyte,
    openFiles: 1_024,
    fileBytes: 512 * mebibyte,
    processes: 16,
  },
  egress: { allow: [] },
};

export function newRef({ host }: SandboxHarness): SandboxRef {
  return { id: newId("sandbox"), host };
}

export function newLife(ttlMs = 600_000): CreateOptions {
  return { incarnation: randomUUID(), deployment, ttlMs };
}

/** Makes a new workspace. */
export async function makeWorkspace(
  { provider, host }: SandboxHarness,
  limits = policy.limits,
): Promise<string> {
  const id = newId("workspace");
  await provider.workspaces.create({ id, host }, limits);
  return id;
}

export interface Made {
  readonly ref: SandboxRef;
  readonly incarnation: string;
  readonly workspaceId: string;
  readonly sandbox: Sandbox;
}

/** Makes a sandbox, of a new workspace unless one is named, and connects to it. */
export async function makeSandbox(
  harness: SandboxHarness,
  given: { workspaceId?: string; policy?: SandboxPolicy } = {},
): Promise<Made> {
  const held = given.policy ?? policy;
  const workspaceId = given.workspaceId ?? (await makeWorkspace(harness, held.limits));
  const ref = newRef(harness);
  const life = newLife();
  await harness.provider.create(ref, { template: "test", policy: held, workspaceId }, life);
  return { ref, incarnation: life.incarnation, workspaceId, sandbox: await harness.provider.connect(ref) };
}
