import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { SandboxFiles, SandboxLimits, WorkspaceRef } from "../sandbox/sandbox.ts";
import type { WorkspaceRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { policyOf } from "./allocation-settings.ts";
import { followingFiles, type OpenPlace } from "./following-files.ts";
import { type MovingWorkspaces, workspaceLost } from "./moving-workspaces.ts";
import type { Claimant, Owners } from "./owners.ts";
import { chooseHost, noHost } from "./placement.ts";
import type { SessionPlace } from "./session-sandboxes.ts";
import type { WatchedHosts } from "./watched-hosts.ts";

/** Where an earlier version of Berth, which kept no rows, put the files of a session. */
export type FormerWorkspace = (place: SessionPlace) => WorkspaceRef;

interface WorkspaceParts {
  readonly context: AllocationContext;
  readonly owners: Owners;
  readonly former: FormerWorkspace | null;
  readonly hosts: WatchedHosts;
  readonly moving: MovingWorkspaces;
}

/** The files of sessions: where they are is in the store, before they are. */
export class SessionWorkspaces {
  readonly #context: AllocationContext;
  readonly #owners: Owners;
  readonly #former: FormerWorkspace | null;
  readonly #hosts: WatchedHosts;
  readonly #moving: MovingWorkspaces;

  constructor({ context, owners, former, hosts, moving }: WorkspaceParts) {
    this.#context = context;
    this.#owners = owners;
    this.#former = former;
    this.#hosts = hosts;
    this.#moving = moving;
  }

  /** The session's workspace with these limits, made when it is missing. Rejects with `session_not_found`, `sandbox_capacity`, `workspace_lost`. */
  async ensure({ owner, workspace }: Claimant, limits: SandboxLimits): Promise<WorkspaceRecord> {
    const record = workspace ?? (await this.#row(owner, await this.#findFormer(owner)));
    if (record.awaitsFiles || (await this.#isGone(record))) throw workspaceLost(record);
    await this.#context.provider.workspaces.create(refOf(record), limits);
    return record;
  }

  /** The session's files, made when they are missing or gone with their host. Rejects with `session_not_found`, `sandbox_capacity`. */
  async begin(place: SessionPlace, fill: (files: SandboxFiles) => Promise<void>): Promise<SandboxFiles> {
    const { provider, settings, store } = this.#context;
    const { owner, workspace, wish } = await this.#owners.claimant(place);
    let record = workspace ?? (await this.#row(owner, await this.#findFormer(owner)));
    if (await this.#isGone(record)) {
      await this.#moving.giveUp(record);
      record = (await this.#find(place)) ?? (await this.#row(owner, null));
    }
    if ((await provider.workspaces.open(refOf(record))) === null)
      await provider.workspaces.create(refOf(record), policyOf(settings, wish, []).limits);
    const files = await this.#open(record);
    if (files === null) throw filesMissing(record);
    await fill(files);
    const { workspaceId } = record;
    if (
      record.awaitsFiles &&
      !(await store.system.sandboxes.noteWorkspaceFilled({ ...placeOf(place), workspaceId }))
    )
      throw filesMissing(record);
    return this.#follow(place, { ...record, awaitsFiles: false }, files);
  }

  /** The session's files; null when there are none that can be reached. */
  async files(place: SessionPlace): Promise<SandboxFiles | null> {
    const record = (await this.#find(place)) ?? (await this.#adopt(place));
    if (record === null || record.awaitsFiles || (await this.#isGone(record))) return null;
    const files = await this.#open(record);
    return files === null ? null : this.#follow(place, record, files);
  }

  #open(record: WorkspaceRecord): Promise<SandboxFiles | null> {
    const { folder } = record;
    return this.#context.provider.workspaces.open(refOf(record), { ...(folder !== null && { folder }) });
  }

  /** Its host is dead, and does not answer now. */
  async #isGone(record: WorkspaceRecord): Promise<boolean> {
    if (!this.#hosts.isDead(record.host)) return false;
    try {
      await this.#context.provider.workspaces.open(refOf(record));
      return false;
    } catch (error) {
      this.#context.telemetry.logger.debug({ err: error, host: record.host }, "a dead host did not answer");
      return true;
    }
  }

  #follow(place: SessionPlace, record: WorkspaceRecord, files: SandboxFiles): SandboxFiles {
    let open: OpenPlace = { workspaceId: record.workspaceId, host: record.host, files };
    return followingFiles({
      find: async () => {
        const now = await this.#find(place);
        if (now?.awaitsFiles === true || this.#hosts.isDead(open.host)) throw workspaceLost(open);
        if (now === null || now.workspaceId === open.workspaceId) return open;
        const found = await this.#open(now);
        if (found === null) throw filesMissing(now);
        return (open = { workspaceId: now.workspaceId, host: now.host, files: found });
      },
      settleWrite: async ({ workspaceId }) => {
        const now = await this.#find(place);
        if (now?.isCopied === true)
          await this.#context.store.system.sandboxes.cancelWorkspaceCopies(workspaceId);
      },
    });
  }

  /**
   * Deletes the files of a session; of a workspace that sessions share its folder, and all of it with the last one. `free` is called
   * before a whole workspace goes: no sandbox may have it then. False when there were none.
   */
  async remove(place: SessionPlace, free: (record: WorkspaceRecord) => Promise<void>): Promise<boolean> {
    const { store, provider } = this.#context;
    const record = await this.#find(place);
    if (record === null) {
      const former = this.#former?.(place);
      return former === undefined ? false : await provider.workspaces.remove(former);
    }
    const isLast = (await store.system.sandboxes.sharers(record.workspaceId)) <= 1;
    if (isLast) await free(record);
    const { folder } = record;
    const removed =
      isLast || folder === null
        ? await provider.workspaces.remove(refOf(record))
        : await provider.workspaces.remove(refOf(record), { folder });
    await store.system.sandboxes.removeWorkspace(place);
    return removed;
  }

  /** Writes down how large it is. */
  async measure(place: SessionPlace): Promise<void> {
    const record = await this.#find(place);
    if (record === null || record.folder !== null) return;
    const usage = await this.#context.provider.workspaces.usage(refOf(record));
    if (usage === null) return;
    await this.#context.store.system.sandboxes.noteWorkspace({ ...place, sizeBytes: usage.bytes });
  }

  #find({ orgId, sessionId }: SessionPlace): Promise<WorkspaceRecord | null> {
    return this.#context.store.org(orgId).sandboxes.workspace(sessionId);
  }

  /** Of an earlier version: a session of its own, whatever is wished now. */
  async #adopt(place: SessionPlace): Promise<WorkspaceRecord | null> {
    const former = await this.#findFormer(place);
    if (former === null) return null;
    const { owner } = await this.#owners.claimant(place);
    return await this.#row(owner, former);
  }

  async #findFormer(place: SessionPlace): Promise<WorkspaceRef | null> {
    const former = this.#former?.(place);
    if (former === undefined) return null;
    return (await this.#context.provider.workspaces.open(former)) === null ? null : former;
  }

  async #row(owner: Claimant["owner"], former: WorkspaceRef | null): Promise<WorkspaceRecord> {
    const { store, provider, clock } = this.#context;
    const host = former?.host ?? (await chooseHost(provider))?.name;
    if (host === undefined) throw noHost();
    const { record } = await store.system.sandboxes.ensureWorkspace({
      ...owner,
      strategy: former === null ? owner.strategy : "Session-Exclusive",
      workspaceId: former?.id ?? newId("workspace", clock.now()),
      host,
      folder: owner.sessionId,
    });
    return record;
  }
}

function placeOf({ orgId, sessionId }: SessionPlace): SessionPlace {
  return { orgId, sessionId };
}

function filesMissing({ host }: WorkspaceRecord): BerthError {
  const message = `The host ${host} does not have this session's files now; try again later.`;
  return new BerthError("sandbox_host_error", message, { retryable: true });
}

function refOf({ workspaceId, host }: WorkspaceRecord): WorkspaceRef {
  return { id: workspaceId, host };
}
