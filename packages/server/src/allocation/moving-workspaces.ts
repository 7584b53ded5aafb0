import { newId } from "../lib/id.ts";
import { BerthError } from "../lib/errors.ts";
import type { SandboxHostInfo, SandboxInfo, SandboxLimits } from "../sandbox/sandbox.ts";
import type { WorkspaceRecord } from "../store/sandboxes.ts";
import type { LeftoverWorkspace, WorkspacePlace } from "../store/workspace-moves.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { copyFiles } from "./copy-files.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import { bestOf, hasRoom, noHost } from "./placement.ts";
import { Turns } from "./turns.ts";
import type { WatchedHosts } from "./watched-hosts.ts";

/** A workspace that is nobody's any more may be so old before it is removed, counted from when this server first saw it. */
const graceMs = 60_000;
/** A copy that another server may still be making. */
const copyMs = 60 * 60_000;

interface Move {
  /** Where to. */
  readonly host: string;
  readonly limits: SandboxLimits;
  readonly signal: AbortSignal;
}

/** Moves workspaces to other hosts, gives them up with a dead one, and removes what is left of them. */
export class MovingWorkspaces {
  readonly #context: AllocationContext;
  readonly #ending: EndingSandboxes;
  readonly #hosts: WatchedHosts;
  readonly #turns = new Turns();
  /** When each leftover was first seen; monotonic. */
  readonly #seen = new Map<string, number>();
  /** What is being removed right now. */
  readonly #removing = new Set<string>();

  constructor(context: AllocationContext, ending: EndingSandboxes, hosts: WatchedHosts) {
    this.#context = context;
    this.#ending = ending;
    this.#hosts = hosts;
  }

  /** A host with room for this sandbox, where the files would be moved; null when they may as well stay. */
  elsewhere(hosts: readonly SandboxHostInfo[], home: string, limits: SandboxLimits): SandboxHostInfo | null {
    return bestOf(hosts.filter((host) => host.name !== home && hasRoom(host, limits)));
  }

  /** Copies a workspace to a host with room and gives it to its sessions there. Returns null when it is there, else why it stayed. */
  move(from: WorkspacePlace, limits: SandboxLimits, signal: AbortSignal): Promise<string | null> {
    return this.#turns.run(from.workspaceId, async () => {
      const host = this.elsewhere(await this.#hosts.look(), from.host, limits);
      if (host === null) return "no other host has room";
      return await this.#move(from, { host: host.name, limits, signal });
    });
  }

  /** As `move`, to a host that is named: whether a sandbox has room there now does not matter to files. */
  moveTo(host: string, from: WorkspacePlace, how: Pick<Move, "limits" | "signal">): Promise<string | null> {
    return this.#turns.run(from.workspaceId, () => this.#move(from, { ...how, host }));
  }

  /** Its host is dead: its sessions get an empty one on another, which awaits their files. Rejects with `sandbox_capacity`. */
  async giveUp(from: WorkspacePlace): Promise<void> {
    const { store, deployment, clock, telemetry } = this.#context;
    const hosts = await this.#hosts.look();
    const host = bestOf(
      hosts.filter(({ name, healthy, draining }) => name !== from.host && healthy && !draining),
    );
    if (host === null) throw noHost();
    const rows = await store.system.sandboxes.live();
    for (const row of rows)
      if (row.workspaceId === from.workspaceId && row.state !== "destroying")
        await this.#ending.markLost(row, "host_lost");
    const to = { workspaceId: newId("workspace", clock.now()), host: host.name };
    const given = await store.system.sandboxes.moveWorkspace({
      from: placeOf(from),
      to,
      deployment: await deployment(),
      copied: false,
    });
    if (given)
      telemetry.logger.warn({ from: from.host, to: to.host }, "a workspace was given up with its host");
  }

  /** Sees which workspaces of a host are nobody's any more, so that they grow old; asks the store alone. */
  async noteLeftovers(host: string): Promise<readonly LeftoverWorkspace[]> {
    const { store, clock, deployment } = this.#context;
    const leftovers = await store.system.sandboxes.leftoverWorkspaces(host, await deployment());
    for (const one of leftovers)
      if (!this.#seen.has(keyOf(one))) this.#seen.set(keyOf(one), clock.monotonic());
    return leftovers;
  }

  /**
   * Removes what is left on a host and no sandbox there has. What fails is tried again with the next sweep. With `drains`, what sessions
   * have elsewhere goes at once, so that the host does not wait for it. Returns how many are there still.
   */
  async removeLeftovers(
    host: string,
    instances: readonly SandboxInfo[],
    { drains = false }: { readonly drains?: boolean } = {},
  ): Promise<number> {
    const { clock } = this.#context;
    let left = 0;
    for (const one of await this.noteLeftovers(host)) {
      const { workspaceId, copyOf } = one;
      const ageMs = clock.monotonic() - (this.#seen.get(keyOf(one)) ?? clock.monotonic());
      const isUsed = instances.some((instance) => instance.workspaceId === workspaceId);
      const waitMs = copyOf !== null ? copyMs : drains ? 0 : graceMs;
      if (isUsed || ageMs < waitMs || !(await this.#remove({ workspaceId, host }))) left++;
      else this.#seen.delete(keyOf(one));
    }
    return left;
  }

  async #move(from: WorkspacePlace, { host, limits, signal }: Move): Promise<string | null> {
    const { store, provider, deployment, clock, step } = this.#context;
    const source = await provider.workspaces.open({ id: from.workspaceId, host: from.host });
    if (source === null) return "they are not there";
    const to = { workspaceId: newId("workspace", clock.now()), host };
    const place = { from: placeOf(from), to, deployment: await deployment() };
    if (!(await store.system.sandboxes.beginWorkspaceCopy(place))) return null;
    try {
      const ref = { id: to.workspaceId, host: to.host };
      await provider.workspaces.create(ref, limits);
      step("allocation.copying");
      const target = await provider.workspaces.open(ref);
      if (target === null) throw notMade(to.host);
      const stayed = await copyFiles(source, target, signal);
      step("allocation.copied");
      const moved =
        stayed === null && (await store.system.sandboxes.moveWorkspace({ ...place, copied: true }));
      step("allocation.moved");
      if (!moved) return stayed ?? "they are in use";
      this.#ending.behind(this.#remove(from).then(() => undefined));
      return null;
    } finally {
      // Whatever became of it: a copy that is nobody's goes. One that is somebody's is no leftover.
      this.#ending.behind(this.#remove(to).then(() => undefined));
    }
  }

  /** False when it is being removed already. */
  async #remove({ workspaceId, host }: WorkspacePlace): Promise<boolean> {
    const { store, provider } = this.#context;
    if (this.#removing.has(workspaceId)) return false;
    this.#removing.add(workspaceId);
    try {
      if (!(await store.system.sandboxes.claimLeftover(workspaceId))) return true;
      await provider.workspaces.remove({ id: workspaceId, host });
      await store.system.sandboxes.forgetLeftover(workspaceId);
      return true;
    } finally {
      this.#removing.delete(workspaceId);
    }
  }
}

function placeOf({ workspaceId, host }: WorkspacePlace): WorkspacePlace {
  return { workspaceId, host };
}

function keyOf({ workspaceId, copyOf }: LeftoverWorkspace): string {
  return `${workspaceId} ${copyOf ?? ""}`;
}

function notMade(host: string): BerthError {
  return new BerthError("sandbox_host_error", `The host ${host} did not make a workspace.`, {
    retryable: true,
  });
}

/** Who has it begins again with the files that were kept last. */
export function workspaceLost({ host }: Pick<WorkspaceRecord, "host">): BerthError {
  const message = `The host ${host}, where this session's files were, is gone. The session's next run begins with the files that were kept at the end of its last one.`;
  return new BerthError("workspace_lost", message, { retryable: true });
}
