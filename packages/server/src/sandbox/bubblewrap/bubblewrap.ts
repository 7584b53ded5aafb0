import { rmdir } from "node:fs/promises";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { EgressOptions } from "../egress/egress.ts";
import type { EgressDecision } from "../egress-decision.ts";
import type { SandboxHostInfo, SandboxInfo, SandboxPolicy, SandboxProvider, SandboxRef } from "../sandbox.ts";
import { errnoOf } from "../files/file-errors.ts";
import { checkSandboxId, isSandboxId } from "../sandbox-id.ts";
import { createTurns } from "../turns.ts";
import type { HostWorkspaces } from "../workspaces/host-workspaces.ts";
import { attachWorkspace } from "./attach.ts";
import { connectTo } from "./connected.ts";
import { destroyLeft, findLeft, type Left, listLeft, sweepLeft } from "./left-behind.ts";
import { type GivingWay, letGreedyGiveWay } from "./give-way.ts";
import { beginLife, endLife, type Life, type Surroundings } from "./life.ts";
import { hostName, Lives, memoryOfMachine } from "./lives.ts";
import { applyPolicy } from "./apply-policy.ts";
import { type Probed, probeMachine } from "./probe.ts";
import { identify } from "./process-identity.ts";

export interface BubblewrapOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly workspaces: HostWorkspaces;
  /** A folder with the system that sandboxes see. Default: this machine's /usr without /usr/local. */
  readonly rootfs?: string;
  /** Sandboxes at once. */
  readonly maxSandboxes?: number;
  /** Memory that sandboxes may be promised together. Default: 80 % of what this process may use. */
  readonly memoryBytes?: number;
  readonly egress?: Pick<EgressOptions, "resolve" | "allowPrivate" | "authorities">;
  /** Told what sandboxes asked of the policy proxy. Must not throw. */
  readonly onEgress?: (sandboxId: string, decision: EgressDecision) => void;
  readonly log?: { warn(details: Readonly<Record<string, unknown>>, message: string): void };
}

/**
 * Runs sandboxes on this machine by bubblewrap: Linux namespaces, a system call filter, control groups, and no network but a
 * policy proxy. Sandboxes live and die with this process.
 */
export function createBubblewrap(options: BubblewrapOptions): SandboxProvider {
  return new Bubblewrap(options);
}

class Bubblewrap implements SandboxProvider {
  readonly kind = "bubblewrap";
  readonly workspaces: HostWorkspaces;
  readonly #options: BubblewrapOptions;
  readonly #lives: Lives;
  readonly #givingWay: GivingWay;
  readonly #inTurn = createTurns();
  readonly #closing = new AbortController();
  /** Of each living sandbox: aborts when it ends. */
  readonly #endings = new Map<string, AbortController>();
  #probed: Promise<Probed> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: BubblewrapOptions) {
    const { clock, memoryBytes = memoryOfMachine(), maxSandboxes = 100 } = options;
    this.#options = options;
    this.workspaces = options.workspaces;
    this.#lives = new Lives({
      clock,
      room: { memoryBytes, sandboxes: maxSandboxes },
      onExpired: (life) => this.#endInBackground(life, () => life.expiresAt <= clock.monotonic()),
    });
    this.#givingWay = letGreedyGiveWay({
      clock,
      groups: () => this.#lives.groups(),
      onError: (error) => this.#warn({ error }, "sandboxes that take much do not give way to others"),
    });
  }

  async probe() {
    return (await this.#probe()).capabilities;
  }

  async hosts(): Promise<readonly SandboxHostInfo[]> {
    const { unavailable } = await this.probe();
    return [this.#lives.hostInfo({ draining: this.#closing.signal.aborted, problem: unavailable })];
  }

  async create(...[ref, spec, given]: Parameters<SandboxProvider["create"]>): Promise<SandboxInfo> {
    checkRef(ref);
    return await this.#inTurn(ref.id, async () => {
      if (this.#lives.find(ref.id) !== null)
        return this.#lives.info(this.#lives.get(ref.id, given.incarnation));
      const surroundings = await this.#surroundings();
      await this.#refuseOther(surroundings, ref.id);
      const workspaceId = spec.workspaceId ?? null;
      this.#lives.reserve(ref.id, { memoryBytes: spec.policy.limits.memoryBytes, workspaceId });
      const signal = AbortSignal.any([this.#closing.signal, ...(given.signal ? [given.signal] : [])]);
      let life: Life;
      try {
        life = await beginLife(surroundings, { ref, spec, options: { ...given, signal } });
      } catch (thrown) {
        this.#lives.release(ref.id);
        throw thrown;
      }
      this.#watch(life);
      return this.#lives.info(life);
    });
  }

  async get(ref: SandboxRef): Promise<SandboxInfo | null> {
    if (!isSandboxId(ref.id) || ref.host !== hostName) return null;
    const life = this.#lives.find(ref.id);
    if (life !== null) return this.#lives.info(life);
    return await findLeft(await this.#left(), ref.id);
  }

  async list(...[, deployment]: Parameters<SandboxProvider["list"]>) {
    const { items, unreadable } = await listLeft(await this.#left(), deployment);
    const current = (item: SandboxInfo) => {
      const life = this.#lives.find(item.id);
      return life === null ? item : this.#lives.info(life);
    };
    return { items: items.map(current), unreadable };
  }

  async renew(
    ...[{ id }, { incarnation, ttlMs }]: Parameters<SandboxProvider["renew"]>
  ): Promise<SandboxInfo> {
    return await this.#inTurn(id, async () => {
      const life = this.#lives.get(id, incarnation);
      this.#lives.renew(life, ttlMs);
      return this.#lives.info(life);
    });
  }

  async apply(ref: SandboxRef, change: { incarnation: string; policy: SandboxPolicy }): Promise<SandboxInfo> {
    return await this.#inTurn(ref.id, async () => {
      const life = this.#lives.get(ref.id, change.incarnation);
      await applyPolicy(await this.#surroundings(), { life, lives: this.#lives, policy: change.policy });
      return this.#lives.info(life);
    });
  }

  async attach(...[{ id }, change]: Parameters<SandboxProvider["attach"]>): Promise<SandboxInfo> {
    return await this.#inTurn(id, async () => {
      const life = this.#lives.get(id, change.incarnation);
      if (life.record.workspaceId === change.workspaceId) return this.#lives.info(life);
      if (life.record.workspaceId !== null) throw hasWorkspace();
      this.#lives.claim(id, change.workspaceId);
      try {
        await attachWorkspace(await this.#surroundings(), life, change.workspaceId);
      } catch (thrown) {
        if (life.workspace === null) this.#lives.unclaim(id);
        else await this.#end(life);
        throw thrown;
      }
      return this.#lives.info(life);
    });
  }

  async destroy(...[ref, { incarnation }]: Parameters<SandboxProvider["destroy"]>) {
    checkRef(ref);
    return await this.#inTurn(ref.id, async () => {
      if (this.#lives.find(ref.id) === null)
        return await destroyLeft(await this.#left(), ref.id, incarnation);
      await this.#end(this.#lives.get(ref.id, incarnation));
      return "destroyed" as const;
    });
  }

  async connect(ref: SandboxRef, { folder = "" }: { folder?: string } = {}) {
    const life = this.#lives.get(ref.id);
    const ending = this.#endings.get(ref.id)?.signal ?? AbortSignal.abort();
    return await connectTo({ surroundings: await this.#surroundings(), life, folder, ending });
  }

  async sweep(...[, deployment]: Parameters<SandboxProvider["sweep"]>) {
    const { removed, foreign, shared } = await sweepLeft(await this.#left(), deployment);
    // Mounts of workspaces do not say whose they are.
    return { removed: removed + (shared ? 0 : await this.workspaces.sweep()), foreign };
  }

  close(): Promise<void> {
    this.#closed ??= this.#endAll();
    return this.#closed;
  }

  async #endAll(): Promise<void> {
    this.#closing.abort(stopping());
    this.#givingWay.cancel();
    const ids = this.#lives.promised();
    const ended = await Promise.allSettled(
      ids.map((id) =>
        this.#inTurn(id, async () => {
          const life = this.#lives.find(id);
          if (life !== null) await this.#end(life);
        }),
      ),
    );
    await this.workspaces.close();
    await this.#removeRunFolder();
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  }

  /** Nobody has a sandbox in it any more, unless it is not empty. */
  async #removeRunFolder(): Promise<void> {
    const { host } = (await this.#probed) ?? { host: null };
    if (host === null) return;
    await rmdir(host.places.run).catch((thrown: unknown) => {
      if (errnoOf(thrown) !== "ENOENT" && errnoOf(thrown) !== "ENOTEMPTY") throw thrown;
    });
  }

  /** Ends it; only in turn. What could not be removed stays known, so that it can be tried again. */
  async #end(life: Life): Promise<void> {
    this.#endings.get(life.record.id)?.abort();
    await life.oom.note();
    await endLife(await this.#surroundings(), life);
    this.#endings.delete(life.record.id);
    this.#lives.remove(life);
    this.#lives.release(life.record.id);
  }

  #endInBackground(life: Life, still: () => boolean): void {
    const { id } = life.record;
    void this.#inTurn(id, async () => {
      if (this.#lives.find(id) === life && still()) await this.#end(life);
    }).catch((error: unknown) => this.#warn({ sandbox: id, error }, "a sandbox could not be ended"));
  }

  /** From now on it is there, and ends when its agent or bubblewrap does. */
  #watch(life: Life): void {
    this.#lives.add(life);
    this.#endings.set(life.record.id, new AbortController());
    void Promise.race([life.agent.lost, life.launched.ended]).then(() => {
      if (this.#lives.find(life.record.id) === life) this.#endInBackground(life, () => true);
    });
  }

  /** An id whose record names another sandbox is not for a new one, unless that one is dead. */
  async #refuseOther(surroundings: Surroundings, id: string): Promise<void> {
    const left = { surroundings, isOurs: () => false, inTurn: this.#inTurn };
    if ((await findLeft(left, id)) !== null) {
      throw new BerthError("sandbox_busy", "Another server has a sandbox of this id.", { retryable: true });
    }
    await destroyLeft(left, id, undefined);
  }

  #probe(): Promise<Probed> {
    const { dataDir, rootfs, clock, workspaces } = this.#options;
    this.#probed ??= probeMachine({ dataDir, rootfs, clock, quota: () => workspaces });
    return this.#probed;
  }

  async #surroundings(): Promise<Surroundings> {
    const { host, groups, capabilities } = await this.#probe();
    const server = identify(process.pid);
    if (host === null || server === null) {
      throw new BerthError(
        "sandbox_unavailable",
        capabilities.unavailable ?? "There is no /proc on this machine.",
      );
    }
    const { clock, workspaces, egress = {}, onEgress } = this.#options;
    return {
      host,
      groups,
      clock,
      server,
      workspaces,
      egress: (id) => ({ ...egress, onDecision: (decision) => onEgress?.(id, decision) }),
      stir: (group) => this.#givingWay.stir(group),
      warn: (details, message) => this.#warn(details, message),
    };
  }

  async #left(): Promise<Left> {
    const surroundings = await this.#surroundings();
    return { surroundings, isOurs: (id) => this.#lives.isPromised(id), inTurn: this.#inTurn };
  }

  #warn(details: Readonly<Record<string, unknown>>, message: string): void {
    this.#options.log?.warn(details, message);
  }
}

function checkRef({ id, host }: SandboxRef): void {
  checkSandboxId(id);
  if (host !== hostName) {
    throw new BerthError(
      "sandbox_not_found",
      "There is no such sandbox host; this provider has only its own machine.",
    );
  }
}

function hasWorkspace(): BerthError {
  return new BerthError("sandbox_busy", "This sandbox has another workspace already; make a new one.");
}

function stopping(): BerthError {
  return new BerthError("sandbox_gone", "The server is stopping; try again in a moment.", {
    retryable: true,
  });
}
