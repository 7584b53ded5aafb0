import { newId } from "../lib/id.ts";
import type { SandboxFiles, SandboxLimits, WorkspaceRef } from "../sandbox/sandbox.ts";
import type { WorkspaceRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { policyOf } from "./allocation-settings.ts";
import type { Claimant, Owners } from "./owners.ts";
import { chooseHost, noHost } from "./placement.ts";
import type { SessionPlace } from "./session-sandboxes.ts";

/** Where an earlier version of Berth, which kept no rows, put the files of a session. */
export type FormerWorkspace = (place: SessionPlace) => WorkspaceRef;

/** The files of sessions: where they are is in the store, before they are. */
export class SessionWorkspaces {
  readonly #context: AllocationContext;
  readonly #owners: Owners;
  readonly #former: FormerWorkspace | null;

  constructor(context: AllocationContext, owners: Owners, former: FormerWorkspace | null) {
    this.#context = context;
    this.#owners = owners;
    this.#former = former;
  }

  /** The session's workspace, made when it is missing, with these limits; without any with those that its agent wants, once. Rejects with `session_not_found`, `sandbox_capacity`. */
  async ensure({ owner, workspace, wish }: Claimant, limits?: SandboxLimits): Promise<WorkspaceRecord> {
    const { provider, settings } = this.#context;
    const record = workspace ?? (await this.#row(owner, await this.#findFormer(owner)));
    const exists = limits === undefined && (await provider.workspaces.open(refOf(record))) !== null;
    if (!exists)
      await provider.workspaces.create(refOf(record), limits ?? policyOf(settings, wish, []).limits);
    return record;
  }

  /** The session's files; null when there are none that can be reached. */
  async files(place: SessionPlace): Promise<SandboxFiles | null> {
    const record = (await this.#find(place)) ?? (await this.#adopt(place));
    return record === null ? null : await this.open(record);
  }

  open(record: WorkspaceRecord): Promise<SandboxFiles | null> {
    const { folder } = record;
    return this.#context.provider.workspaces.open(refOf(record), { ...(folder !== null && { folder }) });
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

function refOf({ workspaceId, host }: WorkspaceRecord): WorkspaceRef {
  return { id: workspaceId, host };
}
