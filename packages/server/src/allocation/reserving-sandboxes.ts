import { randomUUID } from "node:crypto";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { SandboxPolicy } from "../sandbox/sandbox.ts";
import { shownPolicy } from "../sandbox/shown-policy.ts";
import type { Reserved, SandboxKey, SandboxRecord, WorkspaceRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { templateOf } from "./allocation-settings.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { HeldSandboxes } from "./held-sandboxes.ts";
import type { MakingSandboxes } from "./making-sandboxes.ts";
import type { MovingWorkspaces } from "./moving-workspaces.ts";
import type { Claimant } from "./owners.ts";
import { hasRoom } from "./placement.ts";
import type { NoRoom, WaitingLine } from "./waiting-line.ts";

/** What somebody needs a sandbox for. */
export interface Need {
  readonly claimant: Claimant;
  readonly workspace: WorkspaceRecord;
  readonly policy: SandboxPolicy;
  /** Monotonic: how long it is waited for. */
  readonly until: number;
  readonly signal: AbortSignal;
  /** Why the files stay where they are even if another host has room; null: they may be moved. */
  readonly stays: string | null;
}

/** The host of the files has no room, another has. */
export class RoomElsewhere extends Error {}

export type Instead = SandboxKey & { readonly reason: string };
export type Reservation = Exclude<Reserved, { kind: "quota" }>;

interface Taken {
  readonly reservation: Reservation;
  /** Those that end to make room: ended before anything is made in their place. */
  readonly ended: readonly string[];
}

type Attempt = { readonly given: Taken } | { readonly refused: NoRoom };

export interface ReservingParts {
  readonly context: AllocationContext;
  readonly held: HeldSandboxes;
  readonly making: MakingSandboxes;
  readonly ending: EndingSandboxes;
  readonly line: WaitingLine;
  /** Ends one that is ready and nobody's; false when there is none. */
  readonly moving: MovingWorkspaces;
  readonly endWarm: (host: string) => Promise<boolean>;
}

/** How long to wait before asking again, for people and clients. */
const retryAfterMs = 5_000;

/** Takes room for sandboxes: quotas in the store, capacity of hosts, and the line of those who wait for either. */
export class ReservingSandboxes {
  readonly #parts: ReservingParts;

  constructor(parts: ReservingParts) {
    this.#parts = parts;
  }

  /** A row of its own, or the one that there is. Rejects with `sandbox_quota` or `sandbox_capacity` when there is no room in time. */
  async reserve(
    need: Need,
    how: { readonly warm: boolean; readonly instead: Instead | null },
  ): Promise<Reservation> {
    let { instead } = how;
    const { orgId, userId } = need.claimant.owner;
    const { reservation, ended } = await this.#parts.line.join<Taken>({
      orgId,
      userId,
      until: need.until,
      signal: need.signal,
      giveBack: (taken) => this.#parts.ending.behind(this.giveBack(taken.reservation)),
      attempt: async () => {
        const tried = await this.#attempt(need, how.warm, instead);
        instead = null;
        return tried;
      },
    });
    for (const id of ended) await this.#finish(id);
    return reservation;
  }

  /** What was reserved is not made after all. */
  async giveBack(reservation: Reservation): Promise<void> {
    if (reservation.kind === "there") return;
    try {
      await this.#parts.ending.endRow(reservation.record, { reason: "not_made" });
    } finally {
      this.#parts.making.end(reservation.record.id);
    }
  }

  async #attempt(need: Need, warm: boolean, instead: Instead | null): Promise<Attempt> {
    const { held, ending, making } = this.#parts;
    const { room, leaving, elsewhere } = await this.#look(need);
    if (leaving && elsewhere) throw new RoomElsewhere();
    const mayBeWarm =
      warm &&
      making.canAttach &&
      this.#parts.context.settings.warm > 0 &&
      (room || (await this.#isOneReady(need)));
    if (!room && !mayBeWarm && !(await this.#makeRoom(need))) {
      if (elsewhere) throw new RoomElsewhere();
      return { refused: noRoomOnHost(need) };
    }
    const ended: string[] = [];
    let reserved = await this.#ask(need, mayBeWarm, instead);
    if (reserved.ended && instead !== null) ended.push(instead.id);
    if (reserved.kind === "quota") {
      const idle = held.oldestIdle(need.claimant.owner);
      if (idle === null) return { refused: overQuota(reserved) };
      // From here on it takes no command. If it does not end after all, it goes on.
      idle.ending = true;
      try {
        reserved = await this.#ask(need, mayBeWarm, { ...idle.key, reason: "recycled" });
      } finally {
        idle.ending = false;
      }
      if (reserved.ended) {
        ended.push(idle.key.id);
        ending.drop(idle);
      }
      if (reserved.kind === "quota") {
        for (const id of ended) await this.#finish(id);
        return { refused: overQuota(reserved) };
      }
    }
    if (reserved.kind === "new" && !room && mayBeWarm && !(await this.#makeRoom(need))) {
      await this.giveBack(reserved);
      if (elsewhere) throw new RoomElsewhere();
      return { refused: noRoomOnHost(need) };
    }
    return { given: { reservation: reserved, ended } };
  }

  async #ask(
    { claimant, workspace, policy }: Need,
    warm: boolean,
    instead: Instead | null,
  ): Promise<Reserved> {
    const { store, provider, clock, instanceId, settings, deployment, step } = this.#parts.context;
    const key = { id: newId("sandbox", clock.now()), incarnation: randomUUID() };
    // Before the row is there, so that the reaper never takes it for a leftover.
    this.#parts.making.begin(key.id);
    let kept = key.id;
    try {
      const reserved = await store.system.sandboxes.reserve({
        ...key,
        deployment: await deployment(),
        provider: provider.kind,
        template: templateOf(settings, policy),
        ownerInstance: instanceId,
        policy: shownPolicy(policy),
        maxLifeMs: settings.maxLifeMs,
        idleTtlMs: settings.idleTtlMs,
        owner: claimant.owner,
        workspaceId: workspace.workspaceId,
        host: workspace.host,
        warm,
        perUser: claimant.perUser,
        perOrg: claimant.perOrg,
        ...(instead !== null && { instead }),
      });
      step("allocation.reserved");
      if (reserved.kind === "warm") this.#parts.making.begin(reserved.record.id);
      if (reserved.kind === "new") kept = "";
      return reserved;
    } finally {
      if (kept !== "") this.#parts.making.end(kept);
    }
  }

  /** Looked for before anything is reserved: what is given back at once has everybody who waits look again, and again. */
  async #isOneReady({ workspace }: Need): Promise<boolean> {
    const rows = await this.#parts.context.store.system.sandboxes.live();
    return rows.some(({ state, host }) => state === "warm" && host === workspace.host);
  }

  /** `leaving`: the host of the files takes no sandboxes any more. `elsewhere`: the files may be moved, and another host has room. */
  async #look({
    workspace,
    policy,
    stays,
  }: Need): Promise<{ room: boolean; leaving: boolean; elsewhere: boolean }> {
    const hosts = await this.#parts.context.provider.hosts();
    const host = hosts.find(({ name }) => name === workspace.host);
    const room = host !== undefined && hasRoom(host, policy.limits);
    const other = this.#parts.moving.elsewhere(hosts, workspace.host, policy.limits);
    const elsewhere = !room && stays === null && host?.healthy === true && other !== null;
    return { room, leaving: host?.draining === true, elsewhere };
  }

  /** Ends one that is nobody's, or the same user's that has been idle longest, where the room is needed. */
  async #makeRoom({ claimant, workspace }: Need): Promise<boolean> {
    const { held, ending, endWarm } = this.#parts;
    if (await endWarm(workspace.host)) return true;
    const idle = held.oldestIdle(claimant.owner);
    if (idle === null || idle.ref.host !== workspace.host) return false;
    return await ending.endHeld(idle, { reason: "recycled" });
  }

  async #finish(id: string): Promise<void> {
    const record: SandboxRecord | null = await this.#parts.context.store.system.sandboxes.find(id);
    if (record?.state === "destroying") await this.#parts.ending.finish(record);
  }
}

function overQuota({ of, limit }: Extract<Reserved, { kind: "quota" }>): NoRoom {
  const whose = of === "user" ? "This user" : "The organization";
  const message = `${whose} has ${limit} sandboxes, which is as many as may be, and all are in use; try again later.`;
  const details = { quota: of, limit, retryAfterMs };
  return { of, error: new BerthError("sandbox_quota", message, { retryable: true, details }) };
}

function noRoomOnHost({ workspace, stays }: Need): NoRoom {
  const why = stays === null ? "" : ` The files were not moved to another host: ${stays}.`;
  const message = `The host of this session's files (${workspace.host}) has no room for another sandbox now; try again later.${why}`;
  const error = new BerthError("sandbox_capacity", message, { retryable: true, details: { retryAfterMs } });
  return { of: "host", error };
}
