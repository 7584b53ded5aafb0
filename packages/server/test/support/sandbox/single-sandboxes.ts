import { randomUUID } from "node:crypto";
import { newId } from "../../../src/lib/id.ts";
import type { SandboxLimits, SandboxProvider, SandboxRef } from "../../../src/sandbox/sandbox.ts";
import type {
  SandboxRequest,
  SessionPlace,
  SessionSandboxes,
} from "../../../src/allocation/session-sandboxes.ts";

const mebibyte = 1024 * 1024;
const dayMs = 86_400_000;
const limits: SandboxLimits = {
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
};

export interface SingleSandboxesOptions {
  readonly provider: SandboxProvider;
  /** The id of a session's workspace, the same each time. */
  readonly workspaceIdOf: (place: SessionPlace) => string;
}

/**
 * One sandbox for each session that asks, kept until it is released: without quota, pool or records, for one process and tests of what
 * stands on sandboxes.
 */
export function createSingleSandboxes({ provider, workspaceIdOf }: SingleSandboxesOptions): SessionSandboxes {
  const given = new Map<string, Promise<SandboxRef & { readonly incarnation: string }>>();
  const host = "local";
  const deployment = "single";

  function begin(id: string, request: SandboxRequest) {
    const making = make(id, request);
    given.set(id, making);
    making.catch(() => given.delete(id));
    return making;
  }

  async function make(workspaceId: string, { wish, signal }: SandboxRequest) {
    const policy = { limits: { ...limits, ...wish?.limits }, egress: wish?.egress ?? { allow: [] } };
    await provider.workspaces.create({ id: workspaceId, host }, policy.limits);
    const ref = { id: newId("sandbox"), host };
    const incarnation = randomUUID();
    const options = { incarnation, deployment, ttlMs: dayMs, ...(signal && { signal }) };
    await provider.create(ref, { template: "default", policy, workspaceId }, options);
    return { ...ref, incarnation };
  }

  async function end(place: SessionPlace): Promise<void> {
    const id = workspaceIdOf(place);
    const making = given.get(id);
    given.delete(id);
    const ref = await making?.catch(() => null);
    if (ref) await provider.destroy(ref, { incarnation: ref.incarnation, reason: "released" });
  }

  return {
    kind: provider.kind,
    probe: () => provider.probe(),
    async connect(request) {
      const id = workspaceIdOf(request);
      for (;;) {
        const making = given.get(id) ?? begin(id, request);
        const ref = await making;
        if ((await provider.get(ref)) !== null) return await provider.connect(ref);
        if (given.get(id) === making) given.delete(id);
      }
    },
    async workspace(place, fill) {
      const ref = { id: workspaceIdOf(place), host };
      await provider.workspaces.create(ref, limits);
      const files = await provider.workspaces.open(ref);
      if (files === null) throw new Error("a workspace that was just made is missing");
      await fill?.(files);
      return files;
    },
    files: (place) => provider.workspaces.open({ id: workspaceIdOf(place), host }),
    release: end,
    async destroy(place) {
      await end(place);
      const removed = await provider.workspaces.remove({ id: workspaceIdOf(place), host });
      return removed ? "destroyed" : "absent";
    },
    reapLeftovers: async () => (await provider.sweep(host, deployment)).removed,
    close: () => provider.close(),
  };
}
