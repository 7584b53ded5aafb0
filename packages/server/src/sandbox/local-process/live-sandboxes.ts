import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { CreateOptions, SandboxInfo, SandboxPolicy, SandboxRef, SandboxSpec } from "../sandbox.ts";
import { shownPolicy } from "../shown-policy.ts";
import type { HeldWorkspace } from "../workspaces/host-workspaces.ts";
import type { LocalSandbox } from "./local-sandbox.ts";

/** One sandbox that lives. */
export interface Live {
  readonly ref: SandboxRef;
  readonly incarnation: string;
  readonly deployment: string;
  readonly template: string;
  readonly sandbox: LocalSandbox;
  readonly madeAt: number;
  /** Its workspace; null while it is warm. */
  held: { readonly id: string; readonly workspace: HeldWorkspace } | null;
  policy: SandboxPolicy;
  endsAt: number;
  end: TimerHandle;
}

/** The sandboxes of this process: which there are, whose calls count, and when nobody wants one any more. */
export class LiveSandboxes {
  readonly #clock: Clock;
  readonly #onExpired: (ref: SandboxRef) => void;
  readonly #all = new Map<string, Live>();

  constructor(options: { clock: Clock; onExpired: (ref: SandboxRef) => void }) {
    this.#clock = options.clock;
    this.#onExpired = options.onExpired;
  }

  get size(): number {
    return this.#all.size;
  }

  all(): readonly Live[] {
    return [...this.#all.values()];
  }

  find(id: string): Live | null {
    return this.#all.get(id) ?? null;
  }

  /** Rejects with `sandbox_not_found`, or `sandbox_stale` when the incarnation is another one. */
  get(id: string, incarnation?: string): Live {
    const live = this.#all.get(id);
    if (live === undefined)
      throw new BerthError("sandbox_not_found", "There is no such sandbox; make a new one.");
    if (incarnation !== undefined && live.incarnation !== incarnation) {
      throw new BerthError("sandbox_stale", "This sandbox was made anew by somebody else.");
    }
    return live;
  }

  add(
    ref: SandboxRef,
    spec: SandboxSpec,
    { sandbox, held, ...options }: CreateOptions & Pick<Live, "sandbox" | "held">,
  ): Live {
    const now = this.#clock.monotonic();
    const live: Live = {
      ref,
      incarnation: options.incarnation,
      deployment: options.deployment,
      template: spec.template,
      sandbox,
      madeAt: now,
      held,
      policy: shownPolicy(spec.policy),
      endsAt: now + options.ttlMs,
      end: this.#endAfter(ref, options.ttlMs),
    };
    this.#all.set(ref.id, live);
    return live;
  }

  renew(live: Live, ttlMs: number): void {
    live.end.cancel();
    live.endsAt = this.#clock.monotonic() + ttlMs;
    live.end = this.#endAfter(live.ref, ttlMs);
  }

  delete(live: Live): void {
    live.end.cancel();
    this.#all.delete(live.ref.id);
  }

  info(live: Live): SandboxInfo {
    const now = this.#clock.monotonic();
    const { ref, incarnation, deployment, template, held, policy } = live;
    return {
      ...ref,
      incarnation,
      deployment,
      template,
      workspaceId: held?.id ?? null,
      policy,
      url: `local-process://${ref.host}/${ref.id}`,
      ageMs: now - live.madeAt,
      ttlLeftMs: Math.max(0, live.endsAt - now),
    };
  }

  #endAfter(ref: SandboxRef, ttlMs: number): TimerHandle {
    return this.#clock.after(ttlMs, () => this.#onExpired(ref));
  }
}
