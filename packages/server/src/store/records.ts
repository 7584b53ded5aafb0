import type {
  Actor,
  AgentDefinition,
  AgentRef,
  Approval,
  ErrorInfo,
  InputBody,
  Recovery,
  RunReason,
  RunStatus,
  SessionStatus,
  Usage,
  Visibility,
} from "@berth/contract";

/** An event as the store keeps it: `json` is the whole event, `seq` and `type` are there so that nobody has to parse it to skip it. */
export interface StoredEvent {
  readonly seq: number;
  readonly type: string;
  readonly json: string;
}

/** The rewind at `at` undid the events from `toSeq + 1` to `at - 1`. */
export interface Rewind {
  readonly at: number;
  readonly toSeq: number;
}

export interface SessionRecord {
  readonly orgId: string;
  readonly id: string;
  readonly agent: AgentRef;
  readonly owner: string;
  readonly key: string | null;
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly model: string | null;
  readonly visibility: Visibility;
  readonly status: SessionStatus;
  readonly currentRunId: string | null;
  readonly lastSeq: number;
  readonly generation: number;
  readonly forkedFrom: { readonly sessionId: string; readonly seq: number } | null;
  readonly usage: Usage;
  readonly rewinds: readonly Rewind[];
  /** Worker that holds it, null when nobody does. */
  readonly holder: string | null;
  readonly epoch: number;
  /** Milliseconds since 1970, as every time in records. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type Lane = "control" | "steer" | "queue";

export interface InputRecord {
  readonly id: string;
  readonly orgId: string;
  readonly sessionId: string;
  readonly lane: Lane;
  /** Rises with acceptance; the order within a lane. */
  readonly position: number;
  readonly body: InputBody;
  /** Minted at acceptance for a message that starts a run. */
  readonly runId: string | null;
  readonly actor: Actor;
  readonly acceptedAt: number;
  readonly traceparent: string | null;
}

/** An input before acceptance. */
export interface NewInput {
  readonly id: string;
  readonly lane: Lane;
  readonly body: InputBody;
  readonly runId: string | null;
  readonly actor: Actor;
  readonly clientId: string | null;
  readonly traceparent: string | null;
}

export interface RunRecord {
  readonly orgId: string;
  readonly id: string;
  readonly sessionId: string;
  readonly status: RunStatus;
  readonly reason: RunReason | null;
  readonly error: ErrorInfo | null;
  readonly recovery: readonly Recovery[];
  readonly usage: Usage;
  readonly cost: number | null;
  readonly steps: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export interface ApprovalRecord {
  readonly orgId: string;
  readonly id: string;
  readonly sessionId: string;
  readonly runId: string;
  readonly toolUseId: string;
  readonly tool: string;
  readonly input: unknown;
  readonly inputHash: string;
  readonly path: readonly string[];
  readonly status: Approval["status"];
  readonly decidedBy: string | null;
  readonly note: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | null;
}

export interface AgentRecord {
  readonly orgId: string;
  readonly id: string;
  readonly version: number;
  readonly definition: AgentDefinition;
  readonly archived: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface TimerRecord {
  readonly orgId: string;
  readonly sessionId: string;
  readonly kind: "approval" | "client_tool" | "budget";
  readonly ref: string;
  readonly dueAt: number;
}

/** What a change of a session writes beside its events: rows that can be listed. Derived from the events by session/project.ts. */
export interface Projection {
  readonly session?: {
    readonly agent?: AgentRef;
    readonly title?: string | null;
    readonly metadata?: Readonly<Record<string, string>>;
    readonly model?: string | null;
    readonly status?: SessionStatus;
    readonly currentRunId?: string | null;
    readonly usage?: Usage;
  };
  readonly runs?: readonly RunChange[];
  readonly approvals?: readonly ApprovalChange[];
  readonly timers?: {
    readonly set: readonly Omit<TimerRecord, "orgId" | "sessionId">[];
    readonly clear: readonly Pick<TimerRecord, "kind" | "ref">[];
  };
  readonly rewind?: Rewind;
  /** Budgets that the run waits for from now on, when that changed. */
  readonly budgetWaits?: readonly string[];
}

/** Inserted when the run has no row yet; only the given fields change. */
export interface RunChange {
  readonly id: string;
  readonly status?: RunStatus;
  readonly reason?: RunReason;
  readonly error?: ErrorInfo;
  readonly recovery?: readonly Recovery[];
  readonly usage?: Usage;
  readonly cost?: number | null;
  readonly steps?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

export type ApprovalChange =
  | {
      readonly op: "insert";
      readonly row: Omit<
        ApprovalRecord,
        "orgId" | "sessionId" | "decidedBy" | "note" | "decidedAt" | "status"
      >;
    }
  | {
      readonly op: "decide";
      readonly id: string;
      readonly status: ApprovalRecord["status"];
      readonly decidedBy: string | null;
      readonly note: string | null;
      readonly decidedAt: number;
      readonly input?: unknown;
      readonly inputHash?: string;
    };
