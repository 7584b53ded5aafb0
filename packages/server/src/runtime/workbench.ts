import type { ScopedModels } from "../models/model.ts";
import type { SessionState } from "../session/state.ts";
import { AgentsAtWork } from "./agents-at-work.ts";
import { CallsUnderWay } from "./calls-under-way.ts";
import { Committer } from "./committer.ts";
import type { Held, RuntimeContext } from "./context.ts";
import type { Definitions } from "./definitions.ts";
import { Effects } from "./effects/effects.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { LiveText } from "./live-text.ts";
import { OwnerNotes } from "./owner-notes.ts";
import { StatusTeller } from "./status-teller.ts";
import type { ToolSets } from "./tool-sets.ts";

interface WorkbenchOptions {
  readonly context: RuntimeContext;
  readonly heartbeat: Heartbeat;
  readonly definitions: Definitions;
  readonly toolSets: ToolSets;
  readonly models: ScopedModels;
  readonly held: Held;
  /** The session as its followers were told of it last; null when they were told nothing by this holder. */
  readonly told: SessionState | null;
  readonly wake: () => void;
  readonly onFault: (fault: unknown) => void;
}

/**
 * What a session has only while it does something. One that rests keeps nothing of it, and is given another with its next turn: with
 * these parts an idle session of 10 messages held 7.5 KB of heap, without them 4.9 (1,000 sessions, `npm run bench -- memory`).
 */
export class Workbench {
  readonly agents: AgentsAtWork;
  readonly calls = new CallsUnderWay();
  readonly notes: OwnerNotes;
  readonly effects: Effects;
  readonly live: LiveText;
  readonly status: StatusTeller;
  readonly committer: Committer;
  readonly begun = new Set<string>();
  readonly forced = new Set<string>();
  readonly tooLong = new Set<string>();

  constructor({ context, heartbeat, held, told, wake, onFault, ...options }: WorkbenchOptions) {
    const { clock, bus, store } = context;
    this.agents = new AgentsAtWork({ ...options, orgId: held.orgId });
    this.notes = new OwnerNotes(store, held.orgId);
    this.effects = new Effects(clock, wake, onFault);
    this.live = new LiveText({ bus, ...held, clock });
    this.status = new StatusTeller(this.live, told);
    this.committer = new Committer(context, heartbeat, held);
  }

  /** True when nothing on it is needed by a session without a run. */
  get isClear(): boolean {
    return this.effects.isEmpty && this.calls.isEmpty && this.live.isEmpty;
  }
}
