import { backoffMs } from "../lib/backoff.ts";
import { BerthError } from "../lib/errors.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { SandboxRecord, SandboxState } from "../store/sandboxes.ts";
import { type AllocationContext, systemAudit } from "./allocation-context.ts";
import type { Held, HeldSandboxes } from "./held-sandboxes.ts";

const live: readonly SandboxState[] = ["requested", "creating", "warm", "claimed", "active"];
/** How long another server's use protects a sandbox; that server notes its uses at least every two seconds. */
const guestMs = 5_000;
const retry = { baseMs: 1_000, capMs: 60_000 };

interface Ending {
  /** In a word that people read in its history: `idle`, `max_life`, `released`, `recycled`, `lost`, … */
  readonly reason: string;
  /** Default: an entry of allocation's own, when it is somebody's. */
  readonly audit?: AuditDraft;
}

/** Takes sandboxes back: the row is changed first, then the sandbox ended, then the row again. A step that fails is done again later. */
export class EndingSandboxes {
  readonly #context: AllocationContext;
  readonly #held: HeldSandboxes;
  readonly #onRoom: () => void;
  /** When the next attempt is due, by id; monotonic. */
  readonly #retries = new Map<string, { attempt: number; dueAt: number }>();
  readonly #finishing = new Map<string, Promise<boolean>>();
  /** What goes on behind callers' backs. */
  readonly #background = new Set<Promise<void>>();

  constructor(context: AllocationContext, held: HeldSandboxes, onRoom: () => void) {
    this.#context = context;
    this.#held = held;
    this.#onRoom = onRoom;
  }

  /** Ends one that this server gives out; false when it is in use after all, or another server came first. */
  async endHeld(held: Held, ending: Ending & { readonly evenIfGuest?: boolean }): Promise<boolean> {
    if (held.ending) return false;
    held.ending = true;
    const { store } = this.#context;
    const { key, owner } = held;
    const record = await store.system.sandboxes
      .move({
        ...key,
        from: ["active"],
        to: "destroying",
        reason: ending.reason,
        ...(ending.evenIfGuest !== true && { unlessGuestWithinMs: guestMs }),
        orgId: owner.orgId,
        audit: ending.audit ?? this.#audit(key.id, ending.reason),
      })
      .catch((error: unknown) => {
        held.ending = false;
        throw error;
      });
    if (record === null) {
      const now = await store.system.sandboxes.find(key.id);
      if (now?.state === "active" && now.incarnation === key.incarnation) held.ending = false;
      else this.drop(held);
      return false;
    }
    this.drop(held);
    await this.finish(record);
    return true;
  }

  /** It is no longer given out by this server; what still runs in it is told. */
  drop(held: Held): void {
    this.#held.remove(held);
    for (const sharer of held.sharers.values()) sharer.ending.abort();
  }

  /** Ends one by its row, whatever this server knows of it. False when another came first. */
  async endRow(record: SandboxRecord, ending: Ending): Promise<boolean> {
    const { store } = this.#context;
    const { id, incarnation, orgId } = record;
    const audit = ending.audit ?? (orgId === null ? undefined : this.#audit(id, ending.reason));
    const moved = await store.system.sandboxes.move({
      id,
      incarnation,
      from: live,
      to: "destroying",
      reason: ending.reason,
      ...(orgId !== null && audit !== undefined && { orgId, audit }),
    });
    if (moved === null) return false;
    const held = this.#held.find(id);
    if (held !== null) this.drop(held);
    await this.finish(moved);
    return true;
  }

  /** Ends the sandbox of a row that is being destroyed. Never rejects: what fails is tried again by the reaper. True when it is gone. */
  finish(record: SandboxRecord): Promise<boolean> {
    const known = this.#finishing.get(record.id);
    if (known !== undefined) return known;
    const finishing = this.#finish(record).finally(() => this.#finishing.delete(record.id));
    this.#finishing.set(record.id, finishing);
    return finishing;
  }

  /** Whether the reaper should finish it now: its last attempt failed long enough ago, or there was none. */
  isDue(id: string): boolean {
    if (this.#finishing.has(id)) return false;
    const retryAt = this.#retries.get(id)?.dueAt ?? 0;
    return retryAt <= this.#context.clock.monotonic();
  }

  /** Its instance is gone or broken: the row says so, and what may be left of it is ended. */
  async markLost(
    record: Pick<SandboxRecord, "id" | "incarnation" | "host" | "orgId">,
    reason: "lost" | "host_lost" = "lost",
  ): Promise<void> {
    const { store, telemetry, provider } = this.#context;
    const { id, incarnation, host, orgId } = record;
    const held = this.#held.find(id);
    if (held !== null) this.drop(held);
    const moved = await store.system.sandboxes.move({
      id,
      incarnation,
      from: ["creating", "warm", "claimed", "active"],
      to: "lost",
      reason,
      ...(orgId !== null && { orgId, audit: this.#audit(id, reason) }),
    });
    if (moved === null) return;
    telemetry.sandboxEnded({ sandboxId: id, reason, ...(orgId !== null && { orgId }) });
    this.#onRoom();
    if (host === null) return;
    // Whatever is left of it is the sweep's when this fails.
    this.behind(provider.destroy({ id, host }, { incarnation, reason }).then(() => undefined));
  }

  /** Lets something go on behind the caller's back; `settle` waits for it. */
  behind(work: Promise<void>): void {
    const caught: Promise<void> = work
      .catch((error: unknown) =>
        this.#context.telemetry.logger.debug({ err: error }, "sandbox upkeep failed"),
      )
      .finally(() => this.#background.delete(caught));
    this.#background.add(caught);
  }

  async settle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  async #finish(record: SandboxRecord): Promise<boolean> {
    const { store, provider, telemetry, step } = this.#context;
    const { id, incarnation, host } = record;
    try {
      step("allocation.mid-destroy");
      if (host !== null) {
        const reason = record.destroyReason ?? "released";
        await provider.destroy({ id, host }, { incarnation, reason }).catch(ignoreStale);
      }
      step("allocation.destroyed");
      const ended = await store.system.sandboxes.move({
        id,
        incarnation,
        from: ["destroying"],
        to: "destroyed",
      });
      this.#retries.delete(id);
      if (ended !== null)
        telemetry.sandboxEnded({ sandboxId: id, reason: record.destroyReason ?? "released" });
      this.#onRoom();
      return true;
    } catch (error) {
      await this.#postpone(record, error);
      return false;
    }
  }

  async #postpone({ id, incarnation }: SandboxRecord, error: unknown): Promise<void> {
    const { store, clock, telemetry } = this.#context;
    const attempt = this.#retries.get(id)?.attempt ?? 0;
    const retryInMs = Math.max(retry.baseMs, backoffMs({ attempt, ...retry }));
    this.#retries.set(id, { attempt: attempt + 1, dueAt: clock.monotonic() + retryInMs });
    telemetry.sandboxDestroyRetried({ sandboxId: id, error });
    await store.system.sandboxes
      .move({ id, incarnation, from: ["destroying"], to: "destroying", retryInMs })
      .catch((failed: unknown) => telemetry.unexpectedError({ where: "sandboxes", error: failed }));
  }

  #audit(id: string, reason: string): AuditDraft {
    return systemAudit(this.#context, {
      action: "sandbox.released",
      target: { type: "sandbox", id },
      details: { reason },
    });
  }
}

/** Another incarnation is not ours to end: ours is gone. */
function ignoreStale(error: unknown): void {
  if (error instanceof BerthError && error.code === "sandbox_stale") return;
  throw error;
}
