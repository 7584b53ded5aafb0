import type { LiveFrame } from "../coordination/session-frames.ts";
import type { ScopedModels } from "../models/model.ts";
import type { SessionState } from "../session/state.ts";
import type { AgentsAtWork } from "./agents-at-work.ts";
import type { BudgetRoom } from "./budget-room.ts";
import type { CallsUnderWay } from "./calls-under-way.ts";
import type { Held, RuntimeContext } from "./context.ts";
import type { Definitions } from "./definitions.ts";
import type { Effects } from "./effects/effects.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { LiveText } from "./live-text.ts";
import type { OwnerNotes } from "./owner-notes.ts";
import type { RunSlots } from "./run-slots.ts";
import { SandboxUse } from "./sandbox-use.ts";
import type { ToolSets } from "./tool-sets.ts";
import { Workbench } from "./workbench.ts";
import { Workspace } from "./workspace.ts";

/** Shared by all sessions of a worker. */
export interface PartDependencies {
  readonly context: RuntimeContext;
  readonly heartbeat: Heartbeat;
  readonly definitions: Definitions;
  readonly toolSets: ToolSets;
  readonly slots: RunSlots;
  readonly room: BudgetRoom;
}

/** What a live session is besides its state, and what it has at work. Bytes, from heap snapshots: `npm run bench -- memory` compares. */
const ownBytes = 1_100;
const benchBytes = 3_000;

/** The parts of a session that its turns work with. Each is made when it is used first, so that a session at rest costs little. */
export abstract class SessionParts {
  readonly held: Held;
  readonly models: ScopedModels;
  abstract readonly state: SessionState;
  protected readonly forkedAt: number | null;
  readonly #shared: PartDependencies;
  #bench: Workbench | null = null;
  /** Followers were told of the session by this holder. */
  #hasTold = false;
  #workspace: Workspace | null = null;
  #sandboxUse: SandboxUse | null = null;

  constructor(options: {
    dependencies: PartDependencies;
    held: Held;
    owner: string;
    forkedAt: number | null;
  }) {
    const { dependencies, held, owner } = options;
    this.#shared = dependencies;
    this.held = held;
    this.forkedAt = options.forkedAt;
    this.models = dependencies.context.models.of({ ...held, owner });
  }

  /** Measured bytes that it holds in memory. */
  get bytes(): number {
    return ownBytes + (this.#bench === null ? 0 : benchBytes) + this.state.bytes;
  }

  /** An effect has something for the next turn. */
  protected abstract onWork(): void;
  /** An effect failed in a way that is no outcome. */
  protected abstract onFault(fault: unknown): void;

  get context(): RuntimeContext {
    return this.#shared.context;
  }

  get definitions(): Definitions {
    return this.#shared.definitions;
  }

  get heartbeat(): Heartbeat {
    return this.#shared.heartbeat;
  }

  get slots(): RunSlots {
    return this.#shared.slots;
  }

  get room(): BudgetRoom {
    return this.#shared.room;
  }

  get workspace(): Workspace {
    this.#workspace ??= new Workspace({ ...this.context, ...this.held, forkedAt: this.forkedAt });
    return this.#workspace;
  }

  get sandboxUse(): SandboxUse {
    this.#sandboxUse ??= new SandboxUse(this);
    return this.#sandboxUse;
  }

  get calls(): CallsUnderWay {
    return this.bench.calls;
  }

  get agents(): AgentsAtWork {
    return this.bench.agents;
  }

  get notes(): OwnerNotes {
    return this.bench.notes;
  }

  get effects(): Effects {
    return this.bench.effects;
  }

  get live(): LiveText {
    return this.bench.live;
  }

  get begun(): Set<string> {
    return this.bench.begun;
  }

  get forced(): Set<string> {
    return this.bench.forced;
  }

  get tooLong(): Set<string> {
    return this.bench.tooLong;
  }

  protected get bench(): Workbench {
    this.#bench ??= new Workbench({
      ...this.#shared,
      held: this.held,
      models: this.models,
      told: this.#hasTold ? this.state : null,
      wake: () => this.onWork(),
      onFault: (fault) => this.onFault(fault),
    });
    return this.#bench;
  }

  protected get hasEffects(): boolean {
    return this.#bench !== null && this.#bench.effects.size > 0;
  }

  protected openBlocks(): readonly LiveFrame[] {
    return this.#bench?.live.openBlocks() ?? [];
  }

  /** Ends tools and model calls; followers are told no more text. */
  protected async endWork(): Promise<void> {
    this.#bench?.live.stop();
    if (this.hasEffects) await this.effects.abortAll();
  }

  /** Lets go of what only a session at work needs, when nothing on the bench is unfinished. For a session without a run. */
  protected clear(): void {
    if (this.#bench?.isClear !== true) return;
    this.#hasTold ||= this.#bench.status.hasTold;
    this.#bench = null;
  }
}
