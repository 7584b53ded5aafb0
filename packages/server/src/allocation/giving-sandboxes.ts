import { pause } from "../lib/clock.ts";
import { asBerthError, BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { SandboxPolicy } from "../sandbox/sandbox.ts";
import { shownPolicy } from "../sandbox/shown-policy.ts";
import type { SandboxOwner, SandboxRecord } from "../store/sandboxes.ts";
import { type AllocationContext, systemAudit } from "./allocation-context.ts";
import { samePolicy } from "./allocation-settings.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { Held, HeldSandboxes } from "./held-sandboxes.ts";
import { type MakingSandboxes, takenBack } from "./making-sandboxes.ts";
import type { Instead, Need, Reservation, ReservingSandboxes } from "./reserving-sandboxes.ts";

export interface GivingParts {
  readonly context: AllocationContext;
  readonly held: HeldSandboxes;
  readonly making: MakingSandboxes;
  readonly ending: EndingSandboxes;
  readonly reserving: ReservingSandboxes;
  readonly refill: () => void;
}

/** What a session was given. */
export interface Given {
  readonly held: Held;
  /** It was there already: made for another session of the user, or by another server. */
  readonly source: "warm" | "new" | "there";
}

/** Warm ones that turn out not to work are passed over so many times before one is made. */
const warmTries = 3;
/** How often somebody looks whether another server has made the sandbox that both want. */
const elsewhereMs = 100;

/** Gives sessions their sandboxes: within the quotas, warm when one is ready, else made. */
export class GivingSandboxes {
  readonly #parts: GivingParts;

  constructor(parts: GivingParts) {
    this.#parts = parts;
  }

  /** A sandbox for a session that has none. Rejects as `SessionSandboxes.connect` does. */
  async give(need: Need): Promise<Given> {
    const { clock } = this.#parts.context;
    const { signal } = need;
    let instead: Instead | null = null;
    for (let tries = 0; ;) {
      const how: { warm: boolean; instead: Instead | null } = { warm: tries < warmTries, instead };
      const reservation: Reservation = await this.#parts.reserving.reserve(need, how);
      instead = null;
      if (reservation.kind === "there") {
        const held = await this.#takeOver(reservation.record, need);
        if (held !== null) return { held, source: "there" };
        continue;
      }
      const { id, incarnation } = reservation.record;
      try {
        const held = await this.#ready(reservation, need);
        this.#parts.making.end(id);
        this.#parts.refill();
        return { held, source: reservation.kind };
      } catch (error) {
        if (reservation.kind === "warm" && !signal.aborted && !isDeleted(error)) {
          this.#parts.making.end(id);
          tries += 1;
          instead = { id, incarnation, reason: "unhealthy" };
          continue;
        }
        await this.#parts.reserving.giveBack(reservation);
        if (asBerthError(error).code !== "sandbox_capacity" || clock.monotonic() >= need.until) throw error;
        await pause(clock, elsewhereMs, signal);
      }
    }
  }

  /** Makes it, or makes it ready, and gives it out. */
  async #ready({ kind, record }: Reservation, need: Need): Promise<Held> {
    const { context, making } = this.#parts;
    const { store, settings, clock, step } = context;
    const { workspace, policy, signal } = need;
    const { workspaceId, host } = workspace;
    const { owner } = need.claimant;
    const info =
      kind === "warm"
        ? await making.prepare(record, policy, workspaceId)
        : await making.make(record, { host, policy, workspaceId, signal });
    step("allocation.before-active");
    const active = await store.system.sandboxes.activate({
      id: record.id,
      incarnation: record.incarnation,
      owner,
      orgId: owner.orgId,
      url: info.url,
      policy: shownPolicy(policy),
      allocationId: newId("allocation", clock.now()),
      maxLifeMs: settings.maxLifeMs,
      audit: systemAudit(context, {
        action: "sandbox.allocated",
        target: { type: "sandbox", id: record.id },
        details: { sessionId: owner.sessionId, userId: owner.userId, strategy: owner.strategy },
      }),
    });
    step("allocation.activated");
    if (active === null) throw takenBack();
    return this.hold(active, { owner, policy });
  }

  /** From now on this server gives it out. `ageMs`: of one that lives already, so that its life does not begin anew. */
  hold(
    record: SandboxRecord,
    { owner, policy, ageMs = 0 }: { owner: SandboxOwner; policy: SandboxPolicy; ageMs?: number },
  ): Held {
    const { context, held } = this.#parts;
    const { clock, instanceId } = context;
    const { id, incarnation, host, template, idleTtlMs } = record;
    if (host === null) throw new BerthError("internal", `sandbox ${id} is active and nowhere`);
    const now = clock.monotonic();
    const made: Held = {
      key: { id, incarnation },
      ref: { id, host },
      owner,
      template,
      policy,
      idleTtlMs,
      bornAt: now - ageMs,
      usedAt: now,
      unnoted: new Set(),
      busy: 0,
      commands: 0,
      ending: false,
      guest: record.ownerInstance === instanceId ? null : { notedAt: 0 },
      sharers: new Map(),
    };
    held.add(made);
    return made;
  }

  /** Holds a sandbox to another policy, and believes it when it has been read back. Rejects with `sandbox_host_error`. */
  async holdTo(held: Held, policy: SandboxPolicy): Promise<void> {
    const { provider, store } = this.#parts.context;
    const { key, ref } = held;
    const info = await provider.apply(ref, { incarnation: key.incarnation, policy });
    if (!samePolicy(info.policy, policy)) {
      throw new BerthError("sandbox_host_error", `The sandbox ${key.id} did not take its new policy.`, {
        retryable: true,
      });
    }
    held.policy = policy;
    await store.system.sandboxes.notePolicy({ ...key, policy: shownPolicy(policy) });
  }

  /** One that this session or user has already: another server's, or of which this one had lost sight. Null: look again. */
  async #takeOver(record: SandboxRecord, need: Need): Promise<Held | null> {
    const { context, held, making, ending } = this.#parts;
    const { provider, clock, instanceId } = context;
    const { id, host, state, ownerInstance } = record;
    const known = held.find(id);
    if (known !== null && !known.ending) return known;
    if (known === null && state === "active" && host !== null) {
      const info = await provider.get({ id, host });
      if (info?.incarnation === record.incarnation) {
        const { owner } = need.claimant;
        const found = this.hold(record, { owner, policy: need.policy, ageMs: info.ageMs });
        await this.holdTo(found, need.policy);
        return found;
      }
      await ending.markLost(record);
      return null;
    }
    if (known === null && ownerInstance === instanceId && !making.isMaking(id)) {
      await ending.endRow(record, { reason: "not_made" });
      return null;
    }
    if (clock.monotonic() >= need.until || need.signal.aborted) throw takenBack();
    await pause(clock, elsewhereMs, need.signal);
    return null;
  }
}

function isDeleted(error: unknown): boolean {
  return asBerthError(error).code === "session_not_found";
}
