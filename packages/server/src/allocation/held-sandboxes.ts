import type { Clock } from "../lib/clock.ts";
import type { Sandbox, SandboxPolicy, SandboxRef } from "../sandbox/sandbox.ts";
import type { SandboxKey, SandboxOwner } from "../store/sandboxes.ts";

/** One session in a sandbox, as this server knows it. */
export interface Sharer {
  /** Null: whoever looks after the sandbox as a whole. */
  readonly sessionId: string | null;
  /** The provider's. */
  readonly sandbox: Sandbox;
  /** What is handed out: it counts what goes on. */
  readonly view: Sandbox;
  environment: Readonly<Record<string, string>>;
  /** Aborts what this session runs. */
  readonly ending: AbortController;
  /** Background processes that it began. */
  readonly processes: Set<string>;
}

/** A sandbox that this server gives to sessions. Times are monotonic. */
export interface Held {
  readonly key: SandboxKey;
  readonly ref: SandboxRef;
  readonly owner: SandboxOwner;
  readonly template: string;
  /** With the values of secrets. */
  policy: SandboxPolicy;
  readonly idleTtlMs: number;
  readonly bornAt: number;
  usedAt: number;
  /** Used, and not noted in the store yet. */
  readonly unnoted: Set<string>;
  /** Commands and attachments under way. */
  busy: number;
  /** Of these, the commands. */
  commands: number;
  /** Takes nothing more: it is being ended, or was. */
  ending: boolean;
  /** Another server looks after it; `notedAt`: when that one was last told that it is in use here. */
  guest: { notedAt: number } | null;
  readonly sharers: Map<string, Sharer>;
}

/** One that was used less long ago is not taken from its session for another's sake: it was given a moment ago, or is about to go on. */
const settledMs = 1_000;

/** The sandboxes that this server gives to sessions, in memory: connecting again costs no more than a look here. */
export class HeldSandboxes {
  readonly #clock: Clock;
  readonly #byId = new Map<string, Held>();
  readonly #bySession = new Map<string, Held>();
  readonly #byUser = new Map<string, Held>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(): readonly Held[] {
    return [...this.#byId.values()];
  }

  find(id: string): Held | null {
    return this.#byId.get(id) ?? null;
  }

  /** The one that serves this session, or that it would share. */
  of(owner: SandboxOwner): Held | null {
    const held =
      owner.strategy === "User-Exclusive"
        ? this.#byUser.get(userKey(owner))
        : this.#bySession.get(sessionKey(owner));
    return held === undefined || held.ending ? null : held;
  }

  /** The one in which the session is. */
  with(place: { readonly orgId: string; readonly sessionId: string }): Held | null {
    return this.#bySession.get(sessionKey(place)) ?? null;
  }

  add(held: Held): void {
    this.#byId.set(held.key.id, held);
    if (held.owner.strategy === "User-Exclusive") this.#byUser.set(userKey(held.owner), held);
    else this.#bySession.set(sessionKey(held.owner), held);
  }

  share(held: Held, sharer: Sharer): void {
    held.sharers.set(sharer.sessionId ?? "", sharer);
    if (sharer.sessionId === null) return;
    this.#bySession.set(sessionKey({ orgId: held.owner.orgId, sessionId: sharer.sessionId }), held);
  }

  unshare(held: Held, sessionId: string): Sharer | null {
    const sharer = held.sharers.get(sessionId) ?? null;
    held.sharers.delete(sessionId);
    this.#drop(this.#bySession, sessionKey({ orgId: held.owner.orgId, sessionId }), held);
    return sharer;
  }

  remove(held: Held): void {
    held.ending = true;
    this.#drop(this.#byId, held.key.id, held);
    this.#drop(this.#byUser, userKey(held.owner), held);
    this.#drop(this.#bySession, sessionKey(held.owner), held);
    for (const sessionId of held.sharers.keys())
      this.#drop(this.#bySession, sessionKey({ orgId: held.owner.orgId, sessionId }), held);
  }

  /** Of this user in this organization, the one that was used longest ago of those in which nothing goes on. Never another server's. */
  oldestIdle({ orgId, userId }: Pick<SandboxOwner, "orgId" | "userId">): Held | null {
    const now = this.#clock.monotonic();
    let oldest: Held | null = null;
    for (const held of this.#byId.values()) {
      if (held.owner.orgId !== orgId || held.owner.userId !== userId) continue;
      if (held.busy > 0 || held.ending || held.guest !== null || now - held.usedAt < settledMs) continue;
      if (oldest === null || held.usedAt < oldest.usedAt) oldest = held;
    }
    return oldest;
  }

  /** Counts something that goes on in it; call what comes back when it has ended. */
  enter(held: Held, sessionId: string | null): () => void {
    held.busy += 1;
    this.noteUse(held, sessionId);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      held.busy -= 1;
      this.noteUse(held, sessionId);
    };
  }

  noteUse(held: Held, sessionId: string | null): void {
    held.usedAt = this.#clock.monotonic();
    held.unnoted.add(sessionId ?? "");
  }

  #drop(map: Map<string, Held>, key: string, held: Held): void {
    if (map.get(key) === held) map.delete(key);
  }
}

function sessionKey({ orgId, sessionId }: { readonly orgId: string; readonly sessionId: string }): string {
  return `${orgId}/${sessionId}`;
}

function userKey({ orgId, userId }: Pick<SandboxOwner, "orgId" | "userId">): string {
  return `${orgId}/${userId}`;
}
