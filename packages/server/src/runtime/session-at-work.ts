import type { SessionState } from "../session/state.ts";
import type { InputRecord, Rewind } from "../store/records.ts";
import type { AgentsAtWork } from "./agents-at-work.ts";
import type { Held, RuntimeContext } from "./context.ts";
import type { Definitions } from "./definitions.ts";
import type { Draft } from "./draft.ts";
import type { Effects } from "./effects/effects.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { LiveText } from "./live-text.ts";
import type { RunSlots, SlotHolder } from "./run-slots.ts";
import type { Workspace } from "./workspace.ts";

/** What a turn sees of the actor whose session it moves on. */
export interface SessionAtWork extends SlotHolder {
  readonly held: Held;
  readonly context: RuntimeContext;
  readonly definitions: Definitions;
  readonly heartbeat: Heartbeat;
  readonly slots: RunSlots;
  readonly agents: AgentsAtWork;
  readonly effects: Effects;
  readonly live: LiveText;
  readonly workspace: Workspace;
  /** As the log has it. */
  readonly state: SessionState;
  readonly rewinds: readonly Rewind[];
  /** Inputs that wait, as they were read last. */
  readonly mailbox: readonly InputRecord[];
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
  /** Inputs that wait, read anew when something came. */
  readMailbox(): Promise<readonly InputRecord[]>;
  /** Commits a draft and makes its state the session's. */
  commit(draft: Draft): Promise<void>;
  /** Number of the next model call's first attempt: rises within an epoch, and with the epoch. */
  nextAttempt(): number;
}
