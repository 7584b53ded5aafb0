import type { AgentDefinition, Visibility } from "@berth/contract";
import type { AuditDraft } from "../audit.ts";
import type { AgentRecord, NewInput } from "../records.ts";
import type {
  AcceptedRecord,
  AppendOutcome,
  ClaimOutcome,
  CreatedSession,
  Idempotency,
  NewSession,
  Outcome,
  Refusal,
  SessionCommit,
} from "../store.ts";
import type { AccessOperations } from "./protocol/access.ts";
import type { DataOperations } from "./protocol/data.ts";
import type { BudgetOperations } from "./protocol/budgets.ts";
import type { IdentityOperations } from "./protocol/identity.ts";
import type { AuditOperations } from "./protocol/audit.ts";
import type { LimitOperations } from "./protocol/limits.ts";
import type { SandboxOperations } from "./protocol/sandboxes.ts";
import type { VaultOperations } from "./protocol/vault.ts";

/** One commit's events as they lie in log_blocks: types joined by commas, events as JSON Lines. */
export interface EventBlock {
  readonly count: number;
  readonly types: string;
  readonly body: string;
}

export interface SessionRef {
  readonly orgId: string;
  readonly sessionId: string;
}

export interface HeldSession extends SessionRef {
  readonly epoch: number;
}

/** The commit without its events, which lie in the block. */
export interface AppendArgs {
  readonly commit: Omit<SessionCommit, "events">;
  readonly block: EventBlock;
}

export interface AcceptArgs extends SessionRef {
  readonly inputs: readonly NewInput[];
  readonly rejectIfBusy: boolean;
  readonly limit: number;
  readonly refusal?: Refusal;
  readonly visibility?: Visibility;
  readonly idempotency?: Idempotency;
  readonly audit?: AuditDraft;
}

export interface CreateSessionArgs extends Omit<NewSession, "events"> {
  readonly orgId: string;
  readonly block: EventBlock;
}

export interface WriteAgentArgs {
  readonly orgId: string;
  readonly id: string;
  readonly definition: AgentDefinition;
  readonly ifVersion?: number;
  readonly idempotency?: Idempotency;
  readonly audit?: AuditDraft;
}

export interface SingleTenant {
  readonly orgId: string;
  readonly orgName: string;
  readonly userId: string;
  readonly userName: string;
}

type Operation<Args, Result> = (args: Args) => Result;

/** Everything that changes the database, by name: what crosses to the writer thread and what comes back. */
export interface Operations
  extends
    LimitOperations,
    DataOperations,
    BudgetOperations,
    AccessOperations,
    SandboxOperations,
    AuditOperations,
    VaultOperations,
    IdentityOperations {
  append: Operation<AppendArgs, AppendOutcome>;
  accept: Operation<AcceptArgs, Outcome<readonly AcceptedRecord[]>>;
  createSession: Operation<CreateSessionArgs, Outcome<CreatedSession>>;
  deleteSession: Operation<SessionRef & { audit?: AuditDraft }, boolean>;
  dropDeadLogs: Operation<{ limit: number }, number>;
  putSnapshot: Operation<HeldSession & { seq: number; stateVersion: number; body: string }, void>;
  claim: Operation<
    SessionRef & { workerId: string; leaseMs: number; knownEventVersion: number },
    ClaimOutcome
  >;
  release: Operation<HeldSession & { withInputs?: boolean }, boolean>;
  quarantine: Operation<HeldSession, void>;
  liftQuarantine: Operation<SessionRef & { audit?: AuditDraft }, boolean>;
  heartbeat: Operation<string, void>;
  removeWorker: Operation<string, void>;
  fireTimers: Operation<{ inputIds: readonly string[] }, readonly SessionRef[]>;
  createAgent: Operation<WriteAgentArgs, Outcome<AgentRecord>>;
  putAgent: Operation<WriteAgentArgs, Outcome<AgentRecord>>;
  archiveAgent: Operation<
    { orgId: string; id: string; archived: boolean; audit?: AuditDraft },
    AgentRecord | null
  >;
  noteBlob: Operation<{ orgId: string; hash: string; size: number }, void>;
  collectBlobs: Operation<{ ageMs: number; limit: number }, readonly { orgId: string; hash: string }[]>;
  prune: Operation<{ idempotencyMs: number; limit: number }, number>;
  singleTenant: Operation<SingleTenant, SingleTenant>;
  ping: Operation<null, void>;
}

export type OperationName = keyof Operations;
export type ArgsOf<K extends OperationName> = Parameters<Operations[K]>[0];
export type ResultOf<K extends OperationName> = ReturnType<Operations[K]>;

export type OperationCall = {
  readonly [K in OperationName]: { readonly name: K; readonly args: ArgsOf<K> };
}[OperationName];

export interface WriteError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export type OperationReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: WriteError };

export interface ThreadOptions {
  readonly path: string;
  readonly failpoint: string | null;
}
