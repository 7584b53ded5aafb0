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
import { maySee } from "./access.ts";
import { askWorkers, noWorker } from "./ask-workers.ts";
import type { OperationsContext } from "./context.ts";

/**
 * Live sessions and memory, all workers together: the whole server's for who runs it, for others their organization's. Rejects with
 * `no_worker`.
 */
export async function runtimeStatistics(
  context: OperationsContext,
  principal: Principal,
): Promise<RuntimeStats> {
  requirePermission(principal, "runtime:read");
  const [first, ...others] = await askWorkers(context, { op: "stats" }, runtimeStats);
  if (first === undefined) throw noWorker();
  const all = others.reduce(together, first);
  if (principal.permissions.has("server:manage")) return all;
  return ofSessions(all, await liveSessionsOf(context, principal.orgId));
}

/** What one organization's sessions are of a server: nothing tells of the others'. */
function ofSessions(all: RuntimeStats, sessions: readonly LiveSession[]): RuntimeStats {
  const sessionBytes = sessions.reduce((sum, { bytes }) => sum + bytes, 0);
  const count = (wanted: LiveSession["status"]) => sessions.filter(({ status }) => status === wanted).length;
  const [running, waiting] = [count("running"), count("waiting")];
  const times = sessions.map(({ initMs }) => initMs).toSorted((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
  return {
    ...all,
    live: sessions.length,
    running,
    waiting,
    idle: sessions.length - running - waiting,
    memory: { usedBytes: sessionBytes, limitBytes: all.memory.limitBytes, sessionBytes },
    evictions: 0,
    activations: { count: times.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) },
  };
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

/** The organization's sessions that workers hold in memory and the caller may see, by id. */
export async function listLiveSessions(
  context: OperationsContext,
  principal: Principal,
): Promise<readonly LiveSession[]> {
  requirePermission(principal, "runtime:read");
  const live = await liveSessionsOf(context, principal.orgId);
  if (principal.permissions.has("session:manage")) return live;
  const org = context.store.org(principal.orgId);
  const seen = await Promise.all(
    live.map(async (one) => {
      const session = await org.findSession(one.sessionId);
      return session !== null && maySee(principal, session);
    }),
  );
  return live.filter((_, index) => seen[index]);
}

async function liveSessionsOf(context: OperationsContext, orgId: string): Promise<readonly LiveSession[]> {
  const lists = await askWorkers(context, { op: "sessions", orgId }, z.array(liveSession));
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
