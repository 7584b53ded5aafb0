import { asBerthError } from "../lib/errors.ts";
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
  #running: Promise<void> | null = null;
  #turn = 0;

  constructor(parts: EmptyingParts) {
    this.#parts = parts;
  }

  /** Looks once at every host that drains, and moves what can be moved. Resolves when that is done. */
  run(): Promise<void> {
    return (this.#running ??= this.#run().finally(() => (this.#running = null)));
  }

  /** What is being copied is given up; whoever looks next begins it again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<void> {
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
    for (const { name } of draining) await this.#empty(name, targets);
    if (draining.length === 0) this.#again.clear();
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
      const { signal } = this.#closing;
      if (signal.aborted) return;
      const outcome = await owners
        .claimant(one)
        .then(({ wish }) => policyOf(settings, wish, []).limits)
        .then((limits) => moving.moveTo(target, one, { limits, signal }))
        .catch((error: unknown) => asBerthError(error));
      if (outcome === null) left.moved++;
      else left.stayed++;
      if (signal.aborted) return;
      const why = outcome instanceof Error ? outcome.message : outcome;
      telemetry.workspaceMoved({ from: host, to: target, why });
      if (why === null || soon.includes(why)) this.#again.delete(workspaceId);
      else this.#again.set(workspaceId, clock.monotonic() + againMs);
    }
  }
}
