import {
  type LiveSession,
  liveSession,
  type RuntimeHealth,
  runtimeHealth,
  type RuntimeStats,
  runtimeStats,
} from "@berth/contract";
import { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { askWorkers, noWorker } from "./ask-workers.ts";
import type { OperationsContext } from "./context.ts";

/** Live sessions and memory, all workers together. Rejects with `no_worker`. */
export async function runtimeStatistics(
  context: OperationsContext,
  principal: Principal,
): Promise<RuntimeStats> {
  requirePermission(principal, "runtime:read");
  const [first, ...others] = await askWorkers(context, { op: "stats" }, runtimeStats);
  if (first === undefined) throw noWorker();
  return others.reduce(together, first);
}

/** Counts and bytes add up; times are those of the slower one. */
function together(a: RuntimeStats, b: RuntimeStats): RuntimeStats {
  return {
    live: a.live + b.live,
    running: a.running + b.running,
    waiting: a.waiting + b.waiting,
    idle: a.idle + b.idle,
    maxSessions: a.maxSessions + b.maxSessions,
    idleTtlMs: Math.max(a.idleTtlMs, b.idleTtlMs),
    memory: {
      usedBytes: a.memory.usedBytes + b.memory.usedBytes,
      limitBytes: a.memory.limitBytes + b.memory.limitBytes,
      sessionBytes: a.memory.sessionBytes + b.memory.sessionBytes,
    },
    claiming: a.claiming || b.claiming,
    evictions: a.evictions + b.evictions,
    activations: {
      count: a.activations.count + b.activations.count,
      p50Ms: Math.max(a.activations.p50Ms, b.activations.p50Ms),
      p95Ms: Math.max(a.activations.p95Ms, b.activations.p95Ms),
      maxMs: Math.max(a.activations.maxMs, b.activations.maxMs),
    },
  };
}

/** The organization's sessions that workers hold in memory, by id. */
export async function listLiveSessions(
  context: OperationsContext,
  principal: Principal,
): Promise<readonly LiveSession[]> {
  requirePermission(principal, "runtime:read");
  const command = { op: "sessions", orgId: principal.orgId } as const;
  const lists = await askWorkers(context, command, z.array(liveSession));
  return lists.flat().toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
}

/** How the workers are: the one that is worst off, and each of them. Rejects with `no_worker`. */
export async function runtimeHealthOf(
  context: OperationsContext,
  principal: Principal,
): Promise<RuntimeHealth & { readonly workers: readonly RuntimeHealth[] }> {
  requirePermission(principal, "runtime:read");
  const workers = await askWorkers(context, { op: "health" }, runtimeHealth);
  const [worst] = workers.toSorted(
    (a, b) => Number(a.ok) - Number(b.ok) || b.heartbeatAgeMs - a.heartbeatAgeMs,
  );
  if (worst === undefined) throw noWorker();
  return { ...worst, workers };
}
