import type { LoginAttempts } from "../auth/login-attempts.ts";
import type { Passwords } from "../auth/password.ts";
import type { ServerKeys } from "../auth/server-keys.ts";
import type { AuditAnchors } from "../auth/audit-anchors.ts";
import type { PreviewGrants } from "../auth/preview-grants.ts";
import type { Vault } from "../auth/vault.ts";
import type { Announcements } from "../coordination/announcements.ts";
import type { Bus } from "../coordination/bus.ts";
import type { Presence } from "../coordination/presence.ts";
import type { Queue } from "../coordination/queue.ts";
import type { Clock } from "../lib/clock.ts";
import type { Models } from "../models/model.ts";
import type { ProviderPlaces } from "../models/provider-places.ts";
import type { OpenSecret } from "../allocation/agent-wish.ts";
import type { SandboxDirectory } from "../allocation/sandbox-directory.ts";
import type { SessionSandboxes } from "../allocation/session-sandboxes.ts";
import type { Backups } from "../store/backups.ts";
import type { ExportFiles } from "../store/export-files.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Idempotency, Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Registry } from "../tools/registry.ts";
import type { Refusals } from "./refusals.ts";

/** Everything that operations need from outside. */
export interface OperationsContext {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly queue: Queue;
  readonly bus: Bus;
  readonly announcements: Pick<Announcements, "tell">;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly models: Models;
  readonly tools: Pick<Registry, "list" | "get" | "checkInput" | "clientToolError">;
  readonly sandboxes: SessionSandboxes;
  readonly sandboxDirectory: SandboxDirectory;
  /** Ports of sandboxes that browsers may reach. */
  readonly previews: PreviewGrants;
  readonly vault: Vault;
  /** Opens a secret that sandboxes of its organization may use. */
  readonly openSecret: OpenSecret;
  /** Where tenants' model providers may be. */
  readonly places: ProviderPlaces;
  readonly keys: Pick<ServerKeys, "pepper">;
  readonly passwords: Passwords;
  readonly loginAttempts: LoginAttempts;
  readonly data: DataParts;
  readonly audit: AuditParts;
  readonly settings: OperationsSettings;
  readonly telemetry: Telemetry;
  /** Aborts when the server stops: what may take minutes is not waited for then. */
  readonly stopping: AbortSignal;
}

/** What keeps copies of what the server holds. */
export interface DataParts {
  readonly backups: Backups;
  readonly exportFiles: ExportFiles;
}

/** What the audit log needs beside the store. */
export interface AuditParts {
  /** Of the MACs of its chains. */
  readonly key: Buffer;
  readonly anchors: AuditAnchors;
  readonly refusals: Refusals;
}

/** Plain data. Times are milliseconds, sizes bytes. */
export interface OperationsSettings {
  /** Inputs that may wait in one session's mailbox. */
  readonly mailboxLimit: number;
  /** How long a route that answers synchronously waits for its event. */
  readonly syncWaitMs: number;
  /** How often it reads the log meanwhile, whatever the bus says. */
  readonly rereadMs: number;
  /** How long a worker may take to answer a command. */
  readonly workerAnswerMs: number;
  /** Images and files of a message above this size go to the blob store. */
  readonly inlineBytes: number;
  readonly toolResultBytes: number;
  /** Users may bring model providers of their own. */
  readonly userModelProviders: boolean;
  /** Below which previews have their names; null: there are none. */
  readonly previewDomain: string | null;
  /** The most that an agent may wish of its sandbox; memory and disk in MiB. */
  readonly sandboxMost: { readonly memory: number; readonly cpus: number; readonly disk: number };
  readonly system: SystemSettings;
}

/** What `GET /system` shows of how the server was started. */
export interface SystemSettings {
  readonly version: string;
  readonly mode: "single" | "multi";
  /** Name of the coordination adapter, for example `in-process`. */
  readonly coordination: string;
  readonly startedAt: number;
  /** The model that the configuration names; null when it names none. */
  readonly defaultModel: string | null;
  /** Secrets are shown as set or not set. */
  readonly config: readonly { readonly name: string; readonly value: string; readonly source: string }[];
}

/** What a request says about itself, beside what it asks for. */
export interface Origin {
  /** Made part of the change's own transaction. */
  readonly idempotency: Idempotency | null;
  /** W3C trace context, kept on the run. */
  readonly traceparent: string | null;
  readonly requestId: string | null;
  /** The client's address, by the sockets and the trusted proxies. */
  readonly address: string | null;
  /** Aborts when nobody waits for the answer any more. What was accepted stays accepted. */
  readonly signal?: AbortSignal;
}
