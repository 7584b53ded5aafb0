import { asBerthError, BerthError } from "../lib/errors.ts";
import type { HostedWorkspace } from "../store/workspace-moves.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { policyOf } from "./allocation-settings.ts";
import { eachOf } from "./each-of.ts";
import type { MovingWorkspaces } from "./moving-workspaces.ts";
import type { Owners } from "./owners.ts";
import { bestFirst } from "./placement.ts";
import type { WatchedHosts } from "./watched-hosts.ts";

interface EmptyingParts {
  readonly context: AllocationContext;
  readonly owners: Owners;
  readonly hosts: WatchedHosts;
  readonly moving: MovingWorkspaces;
}

/** Copies at the same time. */
const atOnce = 4;
const pageSize = 500;
/** How long the copy of one workspace may take, so that a host that answers slowly holds up nothing but itself. */
const copyMs = 10 * 60_000;
/** What could not be moved is tried again after so long; what somebody only used meanwhile, at the next look. */
const againMs = 60_000;
const soon: readonly string[] = ["they changed meanwhile", "they are in use"];

interface Left {
  moved: number;
  /** Of sandboxes that live; they are moved when those have ended. */
  inUse: number;
  /** That could not be moved now. */
  stayed: number;
  /** That are no session's: what it had elsewhere before, and copies that somebody may still be making. */
  leftovers: number;
}

/** Moves the workspaces of hosts that drain to others before anybody needs them, so that the host can end without taking them along. */
export class EmptyingHosts {
  readonly #parts: EmptyingParts;
  readonly #closing = new AbortController();
  /** Monotonic, by workspace: not before. */
  readonly #again = new Map<string, number>();
  /** What was last told of each host that drains. */
  readonly #told = new Map<string, string>();
  /** By host: each in a lane of its own, so that one that answers slowly holds up no other. */
  readonly #running = new Map<string, Promise<void>>();
  #turn = 0;

  constructor(parts: EmptyingParts) {
    this.#parts = parts;
  }

  /** What is being copied is given up; whoever looks next begins it again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running.values());
  }

  /** Looks once at every host that drains, and begins to move what can be moved of those that it is not at already. */
  async run(): Promise<void> {
    const { telemetry } = this.#parts.context;
    const hosts = await this.#parts.hosts.look();
    const draining = hosts.filter(({ healthy, draining: drains }) => healthy && drains);
    const targets = bestFirst(hosts.filter(({ healthy, draining: drains }) => healthy && !drains)).map(
      ({ name }) => name,
    );
    for (const name of this.#told.keys()) {
      if (draining.some((host) => host.name === name)) continue;
      this.#told.delete(name);
      telemetry.sandboxHostEmptied({ host: name });
    }
    for (const { name } of draining) this.#begin(name, targets);
    if (draining.length === 0) this.#again.clear();
  }

  #begin(host: string, targets: readonly string[]): void {
    if (this.#running.has(host) || this.#closing.signal.aborted) return;
    const work = this.#empty(host, targets)
      .catch((error: unknown) =>
        this.#parts.context.telemetry.unexpectedError({ where: "a sandbox host that drains", error }),
      )
      .finally(() => this.#running.delete(host));
    this.#running.set(host, work);
  }

  async #empty(host: string, targets: readonly string[]): Promise<void> {
    const { store, telemetry } = this.#parts.context;
    const left: Left = { moved: 0, inUse: 0, stayed: 0, leftovers: 0 };
    let after: string | undefined;
    for (;;) {
      if (this.#closing.signal.aborted) return;
      const page = await store.system.sandboxes.workspacesOn({
        host,
        limit: pageSize,
        ...(after !== undefined && { after }),
      });
      await eachOf(page, atOnce, (one) => this.#moveOne(one, targets, left));
      after = page.at(-1)?.workspaceId;
      if (page.length < pageSize) break;
    }
    left.leftovers = await this.#removeLeftovers(host);
    const story = JSON.stringify(left);
    if (this.#told.get(host) === story) return;
    this.#told.set(host, story);
    telemetry.sandboxHostEmptying({ host, ...left, otherHosts: targets.length });
  }

  /** The host waits for what sessions have elsewhere by now as for anything else on its disk, and nobody will ever need it. */
  async #removeLeftovers(host: string): Promise<number> {
    const { context, moving } = this.#parts;
    const { provider, deployment, telemetry } = context;
    const known = await moving.noteLeftovers(host);
    if (known.length === 0) return 0;
    try {
      const { items } = await provider.list(host, await deployment());
      return await moving.removeLeftovers(host, items, { drains: true });
    } catch (error) {
      telemetry.logger.warn({ err: error, host }, "what is left on a host that drains could not be removed");
      return known.length;
    }
  }

  async #moveOne(one: HostedWorkspace, targets: readonly string[], left: Left): Promise<void> {
    const { context, owners, moving } = this.#parts;
    const { clock, telemetry, settings } = context;
    const { workspaceId, host } = one;
    const target = targets[this.#turn++ % Math.max(1, targets.length)];
    if (one.inUse) left.inUse++;
    else if (target === undefined || clock.monotonic() < (this.#again.get(workspaceId) ?? 0)) left.stayed++;
    else {
      const { signal: closing } = this.#closing;
      if (closing.aborted) return;
      const late = new AbortController();
      const timer = clock.after(copyMs, () => late.abort(tooSlow()));
      const signal = AbortSignal.any([closing, late.signal]);
      const outcome = await owners
        .claimant(one)
        .then(({ wish }) => policyOf(settings, wish, []).limits)
        .then((limits) => moving.moveTo(target, one, { limits, signal }))
        .catch((error: unknown) => asBerthError(error))
        .finally(() => timer.cancel());
      if (outcome === null) left.moved++;
      else left.stayed++;
      if (closing.aborted) return;
      const why = outcome instanceof Error ? outcome.message : outcome;
      telemetry.workspaceMoved({ from: host, to: target, why });
      if (why === null || soon.includes(why)) this.#again.delete(workspaceId);
      else this.#again.set(workspaceId, clock.monotonic() + againMs);
    }
  }
}

function tooSlow(): BerthError {
  const minutes = copyMs / 60_000;
  return new BerthError("sandbox_host_error", `Copying it took longer than ${minutes} minutes.`, {
    retryable: true,
  });
}
