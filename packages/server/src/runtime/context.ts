import type { Announcements } from "../coordination/announcements.ts";
import type { Bus } from "../coordination/bus.ts";
import type { Counter } from "../coordination/counter.ts";
import type { Presence } from "../coordination/presence.ts";
import type { Queue } from "../coordination/queue.ts";
import type { Clock } from "../lib/clock.ts";
import type { Models } from "../models/model.ts";
import type { OrgShares } from "../limits/org-shares.ts";
import type { OpenSecret } from "../allocation/agent-wish.ts";
import type { SessionSandboxes } from "../allocation/session-sandboxes.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Registry } from "../tools/registry.ts";
import type { SafeFetch } from "../tools/tool.ts";

/** Everything that running sessions needs from outside. */
export interface RuntimeContext {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly queue: Queue;
  readonly bus: Bus;
  readonly announcements: Pick<Announcements, "listen">;
  readonly presence: Presence;
  readonly counter: Counter;
  /** What organizations may have of this worker. */
  readonly shares: OrgShares;
  readonly clock: Clock;
  readonly models: Models;
  readonly tools: Registry;
  readonly sandboxes: SessionSandboxes;
  readonly fetch: SafeFetch;
  /** A secret of the organization for its sandboxes; from then on it is struck out of what tools give back. */
  readonly openSecret: OpenSecret;
  /** An address of a port in the session's sandbox, in the name of its owner. */
  readonly openPort: (port: SessionPort) => Promise<{ readonly url: string; readonly expiresAt: string }>;
  readonly telemetry: Telemetry;
  readonly settings: RuntimeSettings;
  readonly memory: () => MemoryUse;
  /** Takes the server's own secrets, and those of a session's owner and organization, out of a text before it is kept or shown. */
  readonly redact: (text: string, scope: { readonly orgId: string; readonly owner: string }) => string;
}

interface SessionPort {
  readonly orgId: string;
  readonly sessionId: string;
  readonly owner: string;
  readonly sandboxId: string;
  readonly port: number;
  readonly ttlMs: number;
}

/** Bytes, as process.memoryUsage() counts them. */
export interface MemoryUse {
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

export interface RuntimeSettings {
  /** Milliseconds without a confirmed heartbeat after which others may take a worker's sessions. */
  readonly leaseMs: number;
  readonly mailboxPollMs: number;
  readonly sweepMs: number;
  /** Events between two snapshots of a session. */
  readonly snapshotEvery: number;
  /** Runs that go on at once. */
  readonly concurrency: number;
  /** No organization takes all of them. */
  readonly fairShare: boolean;
  readonly maxSessions: number;
  readonly memoryLimitBytes: number;
  readonly memoryCheckMs: number;
  readonly idleTtlMs: number;
  readonly clientToolTimeoutMs: number;
  /** Other models to offer when one fails. */
  readonly defaultModel: string | null;
}

/** A session that this process holds. */
export interface Held {
  readonly orgId: string;
  readonly sessionId: string;
  readonly epoch: number;
}
