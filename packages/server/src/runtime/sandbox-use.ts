import { agentWish } from "../allocation/agent-wish.ts";
import type { SandboxGiven, SandboxWish } from "../allocation/session-sandboxes.ts";
import type { Sandbox, SandboxFiles } from "../sandbox/sandbox.ts";
import type { NewEvent } from "../session/new-event.ts";
import { root, type SessionState } from "../session/state.ts";
import type { Held, RuntimeContext } from "./context.ts";
import type { Definitions } from "./definitions.ts";
import type { Workspace } from "./workspace.ts";

type Told = NewEvent<"sandbox.allocated" | "sandbox.released" | "error">;

interface ActorParts {
  readonly context: RuntimeContext;
  readonly definitions: Definitions;
  readonly held: Held;
  readonly workspace: Workspace;
}

/** The sandbox of a session at work: given out when a tool needs it first, shared by all its agents, and told in the session's log. */
export class SandboxUse {
  readonly #actor: ActorParts;
  #told: Told[] = [];

  constructor(actor: ActorParts) {
    this.#actor = actor;
  }

  /** The session's files, without a sandbox. */
  files(state: SessionState): Promise<SandboxFiles> {
    return this.#actor.workspace.files(state);
  }

  /** The session's sandbox, given out when it has none. The signal ends the wait for one. */
  async sandbox(state: SessionState, signal: AbortSignal): Promise<Sandbox> {
    const { context, workspace } = this.#actor;
    const wish = await this.#wish(state);
    const { isolation } = await context.sandboxes.probe();
    const began = context.clock.monotonic();
    const onGiven = ({ sandboxId, allocationStrategy, warm, before }: SandboxGiven) => {
      const ms = Math.round((context.clock.monotonic() - began) * 10) / 10;
      const provider = context.sandboxes.kind;
      if (before !== undefined) this.#told.push({ type: "sandbox.released", data: before });
      const data = { sandboxId, allocationStrategy, provider, isolation, warm, ms };
      this.#told.push({ type: "sandbox.allocated", data });
    };
    return await workspace.sandbox(state, { userId: state.owner, wish, signal, onGiven });
  }

  /** What happened to the sandbox and to the files in it since this was asked last, for the next commit. */
  take(): readonly Told[] {
    const lost = this.#actor.workspace.takeLoss();
    const told = this.#told.splice(0);
    return lost === null ? told : [...told, { type: "error", data: lost }];
  }

  /** What the session's own agent wants: its sub-agents use the same sandbox. */
  async #wish(state: SessionState): Promise<SandboxWish> {
    const { context, definitions, held } = this.#actor;
    const own = state.namespaces[root]?.agent ?? state.agent;
    const { sandbox } = await definitions.get(held.orgId, own);
    return await agentWish(sandbox, { orgId: held.orgId, owner: state.owner, open: context.openSecret });
  }
}
