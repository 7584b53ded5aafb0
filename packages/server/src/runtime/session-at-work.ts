import type { ScopedModels } from "../models/model.ts";
import type { SessionState } from "../session/state.ts";
import type { InputRecord, Rewind } from "../store/records.ts";
import type { Blocking, Reserve } from "../store/budgets.ts";
import type { AgentsAtWork } from "./agents-at-work.ts";
import type { BudgetRoom } from "./budget-room.ts";
import type { CallsUnderWay } from "./calls-under-way.ts";
import type { Held, RuntimeContext } from "./context.ts";
import type { Definitions } from "./definitions.ts";
import type { Draft } from "./draft.ts";
import type { Effects } from "./effects/effects.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { LiveText } from "./live-text.ts";
import type { OwnerNotes } from "./owner-notes.ts";
import type { RunSlots, SlotHolder } from "./run-slots.ts";
import type { SandboxUse } from "./sandbox-use.ts";
import type { Workspace } from "./workspace.ts";

/** An input that waits, as far as a turn needs it. */
export type WaitingInput = Omit<InputRecord, "position" | "acceptedAt">;

/** What a turn sees of the actor whose session it moves on. */
export interface SessionAtWork extends SlotHolder {
  readonly held: Held;
  readonly context: RuntimeContext;
  readonly definitions: Definitions;
  readonly heartbeat: Heartbeat;
  readonly slots: RunSlots;
  readonly agents: AgentsAtWork;
  /** The models of the session's owner. */
  readonly models: ScopedModels;
  readonly notes: OwnerNotes;
  readonly effects: Effects;
  readonly live: LiveText;
  readonly workspace: Workspace;
  readonly sandboxUse: SandboxUse;
  /** As the log has it. */
  readonly state: SessionState;
  readonly rewinds: readonly Rewind[];
  /** Inputs that wait, as they were read last. */
  readonly mailbox: readonly WaitingInput[];
  /** Third claim without an event: the run that kills its workers is ended instead of tried again. */
  readonly poisoned: boolean;
  /** No new run begins, because the worker stops. */
  readonly draining: boolean;
  /** This holder has written something. */
  recovered: boolean;
  /** Calls of effect `once` that this holder has begun. */
  readonly begun: Set<string>;
  /** Steps whose provider found the context too long, and those of them whose context was compacted for it: once each. */
  readonly tooLong: Set<string>;
  readonly forced: Set<string>;
  /** Runs that wait for calls under way to leave something of a budget. */
  readonly room: BudgetRoom;
  /** Its model calls, and what budgets said to them. */
  readonly calls: CallsUnderWay;
  /** Inputs that wait, read anew when something came. */
  readMailbox(): Promise<readonly WaitingInput[]>;
  /** An input that is being accepted just now and that this session at rest may take in the same commit. It is given once. */
  takeAnnounced(): WaitingInput | null;
  /** Commits a draft and makes its state the session's; or nothing of it, for what is in its way. */
  commit(draft: Draft): Promise<readonly Blocking[] | null>;
  /** Reserves a model call that no commit begins; says what is in its way. */
  reserve(call: Reserve): Promise<readonly Blocking[]>;
  /** Number of the next model call's first attempt: rises within an epoch, and with the epoch. */
  nextAttempt(): number;
}
