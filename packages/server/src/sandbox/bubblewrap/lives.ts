import { totalmem } from "node:os";
import type { Clock, TimerHandle } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { SandboxHostInfo, SandboxInfo } from "../sandbox.ts";
import { shownPolicy } from "../shown-policy.ts";
import type { ControlGroup } from "./control-groups.ts";
import type { Life } from "./life.ts";
import type { SandboxRecord } from "./record.ts";

export const hostName = "local";

/** Of this machine's memory, what may be promised to sandboxes. */
const promisedShare = 0.8;

export interface Room {
  /** Memory that sandboxes may be promised together. */
  readonly memoryBytes: number;
  readonly sandboxes: number;
}

/** What this process may use: the machine's memory, or its container's. */
export function memoryOfMachine(): number {
  const limit = process.constrainedMemory();
  return Math.floor(promisedShare * (limit > 0 ? Math.min(limit, totalmem()) : totalmem()));
}

interface Promised {
  memoryBytes: number;
  readonly workspaceId: string | null;
}

export interface Held {
  readonly life: Life;
  timer: TimerHandle;
}

/** The sandboxes of this process: which there are, when they end by themselves, and for how many more there is room. */
export class Lives {
  readonly #clock: Clock;
  readonly #room: Room;
  readonly #onExpired: (life: Life) => void;
  readonly #held = new Map<string, Held>();
  /** Those that are being made or ended too. */
  readonly #promised = new Map<string, Promised>();

  constructor(options: { clock: Clock; room: Room; onExpired: (life: Life) => void }) {
    this.#clock = options.clock;
    this.#room = options.room;
    this.#onExpired = options.onExpired;
  }

  hostInfo({ draining, problem }: { draining: boolean; problem: string | undefined }): SandboxHostInfo {
    return {
      name: hostName,
      url: `bubblewrap://${hostName}`,
      healthy: problem === undefined,
      draining,
      live: this.#promised.size,
      freeMemoryBytes: this.#freeMemory(),
      freeSlots: this.#freeSlots(),
      ...(problem !== undefined && { problem }),
    };
  }

  #freeSlots(): number {
    return Math.max(0, this.#room.sandboxes - this.#promised.size);
  }

  #freeMemory(): number {
    let free = this.#room.memoryBytes;
    for (const { memoryBytes } of this.#promised.values()) free -= memoryBytes;
    return Math.max(0, free);
  }

  /** Keeps room for a sandbox until `release`. Throws `sandbox_capacity` and, for a workspace that another one has, `sandbox_busy`. */
  reserve(id: string, promised: Promised): void {
    if (this.#promised.has(id)) {
      throw new BerthError("sandbox_busy", "This sandbox is being ended; try again in a moment.", {
        retryable: true,
      });
    }
    if (this.#freeSlots() === 0) throw full("This machine has as many sandboxes as it may have");
    if (promised.memoryBytes > this.#freeMemory())
      throw full("The memory of this machine is promised to other sandboxes");
    this.#refuseTaken(promised.workspaceId);
    this.#promised.set(id, { ...promised });
  }

  /** Another memory limit for one that has room already. */
  resize(id: string, memoryBytes: number): void {
    const promised = this.#promised.get(id);
    if (promised === undefined) return;
    if (memoryBytes - promised.memoryBytes > this.#freeMemory()) {
      throw full("The memory of this machine is promised to other sandboxes");
    }
    promised.memoryBytes = memoryBytes;
  }

  /** Notes that a sandbox has a workspace. Throws `sandbox_busy` when another one has it. */
  claim(id: string, workspaceId: string): void {
    this.#refuseTaken(workspaceId);
    const promised = this.#promised.get(id);
    if (promised !== undefined) this.#promised.set(id, { ...promised, workspaceId });
  }

  unclaim(id: string): void {
    const promised = this.#promised.get(id);
    if (promised !== undefined) this.#promised.set(id, { ...promised, workspaceId: null });
  }

  release(id: string): void {
    this.#promised.delete(id);
  }

  /** Those that are being made, live, or are being ended. */
  promised(): string[] {
    return [...this.#promised.keys()];
  }

  isPromised(id: string): boolean {
    return this.#promised.has(id);
  }

  add(life: Life): void {
    this.#held.set(life.record.id, { life, timer: this.#endAfter(life) });
  }

  remove(life: Life): void {
    const held = this.#held.get(life.record.id);
    if (held?.life !== life) return;
    held.timer.cancel();
    this.#held.delete(life.record.id);
  }

  renew(life: Life, ttlMs: number): void {
    const held = this.#held.get(life.record.id);
    if (held?.life !== life) return;
    held.timer.cancel();
    life.expiresAt = this.#clock.monotonic() + ttlMs;
    held.timer = this.#endAfter(life);
  }

  all(): Life[] {
    return [...this.#held.values()].map(({ life }) => life);
  }

  /** The control groups of those that have any. */
  groups(): ControlGroup[] {
    return [...this.#held.values()].flatMap(({ life: { group } }) => group ?? []);
  }

  find(id: string): Life | null {
    return this.#held.get(id)?.life ?? null;
  }

  /** Throws `sandbox_not_found`, or `sandbox_stale` when the incarnation is another one. */
  get(id: string, incarnation?: string): Life {
    const life = this.find(id);
    if (life === null) throw new BerthError("sandbox_not_found", "There is no such sandbox; make a new one.");
    refuseStale(life.record, incarnation);
    return life;
  }

  info(life: Life): SandboxInfo {
    const now = this.#clock.monotonic();
    return {
      ...infoOfRecord(life.record),
      policy: shownPolicy(life.policy),
      ageMs: now - life.bornAt,
      ttlLeftMs: Math.max(0, life.expiresAt - now),
    };
  }

  #refuseTaken(workspaceId: string | null): void {
    if (workspaceId === null) return;
    for (const other of this.#promised.values()) {
      if (other.workspaceId !== workspaceId) continue;
      throw new BerthError("sandbox_busy", "Another sandbox has this workspace; end that one first.", {
        retryable: true,
      });
    }
  }

  #endAfter(life: Life): TimerHandle {
    return this.#clock.after(Math.max(0, life.expiresAt - this.#clock.monotonic()), () =>
      this.#onExpired(life),
    );
  }
}

/** What is known of a sandbox that another server made, or that is being made. */
export function infoOfRecord(record: SandboxRecord): SandboxInfo {
  const { id, incarnation, deployment, template, workspaceId, policy, ttlMs } = record;
  return {
    id,
    host: hostName,
    incarnation,
    deployment,
    template,
    workspaceId,
    policy: policy as SandboxInfo["policy"],
    url: `bubblewrap://${hostName}/${id}`,
    ageMs: 0,
    ttlLeftMs: ttlMs,
  };
}

/** Throws `sandbox_stale` when a caller means another life of the id. */
export function refuseStale(record: SandboxRecord, incarnation: string | undefined): void {
  if (incarnation !== undefined && record.incarnation !== incarnation) {
    throw new BerthError("sandbox_stale", "This sandbox was made anew by somebody else.");
  }
}

function full(what: string): BerthError {
  return new BerthError("sandbox_capacity", `${what}; try again when one has ended.`, { retryable: true });
}
