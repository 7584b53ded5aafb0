import { asBerthError } from "../lib/errors.ts";
import type { Sandbox, SandboxPolicy } from "../sandbox/sandbox.ts";
import type { SandboxRecord } from "../store/sandboxes.ts";
import { type AllocationContext, systemAudit } from "./allocation-context.ts";
import { policyOf } from "./allocation-settings.ts";
import { sandboxGone } from "./counted-sandbox.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { Given, GivingSandboxes } from "./giving-sandboxes.ts";
import type { Held, HeldSandboxes } from "./held-sandboxes.ts";
import type { Owners } from "./owners.ts";
import type { MovingWorkspaces } from "./moving-workspaces.ts";
import { type Need, RoomElsewhere } from "./reserving-sandboxes.ts";
import type { SandboxRequest, SandboxWish, SessionPlace } from "./session-sandboxes.ts";
import type { SessionWorkspaces } from "./session-workspaces.ts";
import type { SharingSandboxes } from "./sharing-sandboxes.ts";
import { Turns } from "./turns.ts";

export interface ConnectingParts {
  readonly context: AllocationContext;
  readonly held: HeldSandboxes;
  readonly owners: Owners;
  readonly workspaces: SessionWorkspaces;
  readonly giving: GivingSandboxes;
  readonly sharing: SharingSandboxes;
  readonly ending: EndingSandboxes;
  readonly moving: MovingWorkspaces;
}

const goneCodes: readonly string[] = ["sandbox_not_found", "sandbox_lost", "sandbox_stale", "sandbox_gone"];
/** A sandbox that is gone between being found and being used is looked for anew so many times. */
const tries = 3;

/** Connects sessions to their sandboxes and takes them back: for one session one thing after another. */
export class ConnectingSandboxes {
  readonly #parts: ConnectingParts;
  readonly #turns = new Turns();
  /** What is being given to a session; aborted when it is taken back before it is there. */
  readonly #flights = new Map<string, AbortController>();
  #closed = false;

  constructor(parts: ConnectingParts) {
    this.#parts = parts;
  }

  /** The session's sandbox. One that is there costs a look in memory. */
  async connect(request: SandboxRequest): Promise<Sandbox> {
    if (this.#closed) throw sandboxGone();
    return (await this.#known(request)) ?? (await this.#turns.run(keyOf(request), () => this.#give(request)));
  }

  /** Ends the session's processes and takes the sandbox back; of one that is shared only its part of it. True when there was one. */
  async release(place: SessionPlace): Promise<boolean> {
    this.#flights.get(keyOf(place))?.abort();
    return await this.#turns.run(keyOf(place), () => this.#release(place, "released"));
  }

  /** With its files. */
  async destroy(place: SessionPlace): Promise<"destroyed" | "absent"> {
    this.#flights.get(keyOf(place))?.abort();
    return await this.#turns.run(keyOf(place), async () => {
      const released = await this.#release(place, "session_deleted");
      const removed = await this.#parts.workspaces.remove(place, ({ orgId, userId, strategy }) =>
        strategy === "User-Exclusive" ? this.#endShared(orgId, userId) : Promise.resolve(),
      );
      return released || removed ? "destroyed" : "absent";
    });
  }

  /** Breaks off what is under way and waits for its end. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const flight of this.#flights.values()) flight.abort();
    await this.#turns.settle();
  }

  async #known(request: SandboxRequest): Promise<Sandbox | null> {
    const { held, sharing, ending } = this.#parts;
    const one = held.with(request);
    const sharer = one?.sharers.get(request.sessionId);
    if (one === null || one.ending || sharer === undefined || sharer.ending.signal.aborted) return null;
    try {
      const { wish } = request;
      if (wish !== undefined) {
        sharer.environment = wish.environment ?? {};
        await this.#holdToWish(one, wish);
      }
    } catch (error) {
      if (!goneCodes.includes(asBerthError(error).code)) throw error;
      await ending.markLost({ ...one.key, host: one.ref.host, orgId: one.owner.orgId });
      return null;
    }
    sharing.used(one, sharer);
    return sharer.view;
  }

  /** Lets a sandbox reach what is wished now, with the secrets of now. Its limits stay. */
  async holdToEgress(held: Held, wish: SandboxWish): Promise<void> {
    const { egress } = await this.#policyOf(held, wish);
    await this.#holdTo(held, { limits: held.policy.limits, egress });
  }

  /** Holds a sandbox to what is wished now. In one that is shared, what was wished last is in force. */
  async #holdToWish(held: Held, wish: SandboxWish): Promise<void> {
    const wanted = await this.#policyOf(held, wish);
    const { tmpBytes, shmBytes, openFiles, fileBytes } = held.policy.limits;
    const limits = { ...wanted.limits, tmpBytes, shmBytes, openFiles, fileBytes };
    await this.#holdTo(held, { ...wanted, limits });
  }

  async #policyOf(held: Held, wish: SandboxWish): Promise<SandboxPolicy> {
    const { context, owners } = this.#parts;
    return policyOf(context.settings, wish, await owners.egress(held.owner.orgId));
  }

  async #holdTo(held: Held, policy: SandboxPolicy): Promise<void> {
    if (JSON.stringify(policy) === JSON.stringify(held.policy)) return;
    await this.#turns.run(held.key.id, () => this.#parts.giving.holdTo(held, policy));
  }

  async #give(request: SandboxRequest): Promise<Sandbox> {
    const { context } = this.#parts;
    const { orgId, sessionId } = request;
    const flight = new AbortController();
    const signal =
      request.signal === undefined ? flight.signal : AbortSignal.any([flight.signal, request.signal]);
    this.#flights.set(keyOf(request), flight);
    try {
      for (let left = tries; ; left--) {
        const known = await this.#known(request);
        if (known !== null) return known;
        try {
          return await this.#giveOnce(request, signal);
        } catch (error) {
          if (left <= 1 || signal.aborted || !goneCodes.includes(asBerthError(error).code)) throw error;
        }
      }
    } catch (error) {
      const { code } = asBerthError(error);
      if (code === "sandbox_quota" || code === "sandbox_capacity")
        context.telemetry.sandboxRefused({ code, orgId, sessionId });
      throw this.#closed ? sandboxGone() : error;
    } finally {
      this.#flights.delete(keyOf(request));
    }
  }

  async #giveOnce(request: SandboxRequest, signal: AbortSignal): Promise<Sandbox> {
    const { context, sharing } = this.#parts;
    const { clock, telemetry, store } = context;
    const begun = clock.monotonic();
    const before =
      request.onGiven === undefined
        ? null
        : await store.org(request.orgId).sandboxes.lastAllocation(request.sessionId);
    const { need, given } = await this.#giveWhereRoomIs(request, signal);
    const { owner } = need.claimant;
    const { orgId, sessionId, strategy } = owner;
    const { held, source } = given;
    const sandboxId = held.key.id;
    const view = await sharing.share(held, {
      owner,
      folder: need.workspace.folder,
      environment: request.wish?.environment ?? {},
      join: source === "there",
    });
    if (source !== "there") {
      const durationMs = clock.monotonic() - begun;
      telemetry.sandboxClaimed({ orgId, sessionId, sandboxId, strategy, source, durationMs });
    }
    if (before?.isActive !== true || before.sandboxId !== sandboxId) {
      const ended =
        before === null ? null : { sandboxId: before.sandboxId, reason: before.endReason ?? "replaced" };
      request.onGiven?.({
        sandboxId,
        allocationStrategy: strategy,
        warm: source === "warm",
        ...(ended !== null && { before: ended }),
      });
    }
    return view;
  }

  /** Where the session's files are, or, when there is no room, where they are moved to. */
  async #giveWhereRoomIs(
    request: SandboxRequest,
    signal: AbortSignal,
  ): Promise<{ readonly need: Need; readonly given: Given }> {
    let stays: string | null = null;
    for (;;) {
      const need: Need = { ...(await this.#need(request, signal)), stays };
      const { owner } = need.claimant;
      try {
        const given =
          owner.strategy === "User-Exclusive"
            ? await this.#turns.run(`${owner.orgId}/${owner.userId}`, () => this.#giveShared(need))
            : await this.#parts.giving.give(need);
        return { need, given };
      } catch (error) {
        if (!(error instanceof RoomElsewhere)) throw error;
        // Moved once, they stay: else they would follow the room back and forth.
        stays =
          (await this.#parts.moving.move(need.workspace, need.policy.limits, signal)) ??
          "they were just moved from one";
      }
    }
  }

  async #need(request: SandboxRequest, signal: AbortSignal): Promise<Omit<Need, "stays">> {
    const { context, owners, workspaces } = this.#parts;
    const { settings, clock, step } = context;
    const until = clock.monotonic() + Math.min(settings.waitMs, request.waitMs ?? settings.waitMs);
    const claimant = await owners.claimant(request, request);
    const policy = policyOf(settings, claimant.wish, claimant.egress);
    const workspace = await workspaces.ensure(claimant, policy.limits);
    step("allocation.workspace");
    const owner = { ...claimant.owner, strategy: workspace.strategy };
    return { claimant: { ...claimant, owner, workspace }, workspace, policy, until, signal };
  }

  async #giveShared(need: Need): Promise<Given> {
    const there = this.#parts.held.of(need.claimant.owner);
    if (there !== null) return { held: there, source: "there" };
    return await this.#parts.giving.give(need);
  }

  async #release(place: SessionPlace, reason: string): Promise<boolean> {
    const { context, held, ending, sharing, workspaces } = this.#parts;
    const { store } = context;
    const { orgId, sessionId } = place;
    const one = held.with(place);
    if (one !== null && one.owner.strategy === "User-Exclusive") await sharing.leave(one, sessionId);
    const last = await store.org(orgId).sandboxes.lastAllocation(sessionId);
    if (last === null || (one === null && !last.isActive)) return false;
    const record = await store.system.sandboxes.find(one?.key.id ?? last.sandboxId);
    if (last.strategy === "User-Exclusive") {
      const target = { type: "sandbox", id: last.sandboxId };
      const audit = systemAudit(context, {
        action: "sandbox.released",
        target,
        details: { reason, sessionId },
      });
      return await store.system.sandboxes.leave({ orgId, sessionId, reason, audit });
    }
    if (record === null) return false;
    if (record.state === "destroying") await ending.finish(record);
    else await ending.endRow(record, { reason });
    if (reason === "released") ending.behind(workspaces.measure(place));
    return true;
  }

  /** The sandbox that a user's sessions share, before its workspace goes. */
  async #endShared(orgId: string, userId: string): Promise<void> {
    const { context, ending } = this.#parts;
    const { items } = await context.store.org(orgId).sandboxes.list({ limit: 100, userId });
    const shared = items.filter(({ strategy }: SandboxRecord) => strategy === "User-Exclusive");
    for (const record of shared) {
      if (record.state === "destroying") await ending.finish(record);
      else await ending.endRow(record, { reason: "session_deleted" });
    }
  }
}

function keyOf({ orgId, sessionId }: SessionPlace): string {
  return `${orgId}/${sessionId}`;
}
