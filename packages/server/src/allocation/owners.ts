import { orgSettings, type OrgSettings } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { EgressRule } from "../sandbox/sandbox.ts";
import type { SandboxOwner, WorkspaceRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { plainWish } from "./agent-wish.ts";
import type { SandboxWish, SessionPlace } from "./session-sandboxes.ts";

/** Who a session's sandbox is for, and what it may have. */
export interface Claimant {
  readonly owner: SandboxOwner;
  /** Null: none yet. */
  readonly workspace: WorkspaceRecord | null;
  /** As the request says; where it says nothing, as the session's agent does. */
  readonly wish: SandboxWish;
  readonly perUser: number;
  readonly perOrg: number;
  /** What every sandbox of the organization may reach. */
  readonly egress: readonly EgressRule[];
}

/** The settings of an organization are read anew after so long. */
const settingsMs = 5_000;

/** Finds out who a sandbox is for: by the store, never by what the caller says of others. */
export class Owners {
  readonly #context: AllocationContext;
  readonly #settings = new Map<
    string,
    { readonly sandbox: OrgSettings["sandbox"]; readonly until: number }
  >();

  constructor(context: AllocationContext) {
    this.#context = context;
  }

  /**
   * A session keeps the strategy that its workspace was made with; else it is the agent's, the user's, the organization's, or
   * Session-Exclusive. One that others use too never gets the sandbox of all sessions of its owner. Rejects with `session_not_found`.
   */
  async claimant(
    place: SessionPlace,
    { userId, wish }: { userId?: string | undefined; wish?: SandboxWish | undefined } = {},
  ): Promise<Claimant> {
    const { store, settings } = this.#context;
    const { orgId, sessionId } = place;
    const org = store.org(orgId);
    const session = await org.findSession(sessionId);
    if (session === null) throw new BerthError("session_not_found", `There is no session ${sessionId}.`);
    const workspace = await org.sandboxes.workspace(sessionId);
    // The workspace knows whose it is: the files of one user are never another's.
    const user = workspace?.userId ?? userId ?? session.owner;
    const [config, ofOrg] = [await org.userConfig.find(user), await this.#ofOrg(orgId)];
    const wished = wish?.strategy === undefined ? await this.#ofAgent(orgId, session.agent) : wish;
    const chosen =
      wished.strategy ?? config?.sandboxAllocationStrategy ?? ofOrg?.strategy ?? "Session-Exclusive";
    const isShared = session.visibility === "org" && chosen === "User-Exclusive";
    const strategy = workspace?.strategy ?? (isShared ? "Session-Exclusive" : chosen);
    return {
      owner: { orgId, userId: user, sessionId, strategy },
      workspace,
      wish: wish ?? wished,
      ...limitsOf(settings, ofOrg, config),
      egress: egressOf(ofOrg),
    };
  }

  /** How many sandboxes a user and the organization may have at once. */
  async limits(orgId: string, userId: string): Promise<Pick<Claimant, "perUser" | "perOrg">> {
    const { store, settings } = this.#context;
    const config = await store.org(orgId).userConfig.find(userId);
    return limitsOf(settings, await this.#ofOrg(orgId), config);
  }

  async egress(orgId: string): Promise<readonly EgressRule[]> {
    return egressOf(await this.#ofOrg(orgId));
  }

  /** What its newest version says, as for a run that begins now. */
  async #ofAgent(orgId: string, { id }: { readonly id: string }): Promise<SandboxWish> {
    const sandbox = (await this.#context.store.org(orgId).findAgent(id))?.definition.sandbox;
    return sandbox === undefined ? {} : plainWish(sandbox);
  }

  async #ofOrg(orgId: string): Promise<OrgSettings["sandbox"]> {
    const { store, clock } = this.#context;
    const now = clock.monotonic();
    const known = this.#settings.get(orgId);
    if (known !== undefined && known.until > now) return known.sandbox;
    const org = await store.org(orgId).identity.findOrg();
    const { sandbox } = orgSettings.parse(org?.settings ?? {});
    if (this.#settings.size > 1_000) this.#settings.clear();
    this.#settings.set(orgId, { sandbox, until: now + settingsMs });
    return sandbox;
  }
}

function limitsOf(
  settings: AllocationContext["settings"],
  ofOrg: OrgSettings["sandbox"],
  config: { readonly sandboxPoolQuota: number | null } | null,
): Pick<Claimant, "perUser" | "perOrg"> {
  const { perUser, perOrg } = settings;
  return {
    perUser: Math.min(perUser, ofOrg?.perUser ?? perUser, config?.sandboxPoolQuota ?? perUser),
    perOrg: Math.min(perOrg, ofOrg?.perOrg ?? perOrg),
  };
}

function egressOf(settings: OrgSettings["sandbox"]): readonly EgressRule[] {
  return (settings?.egress ?? []).map(({ host, ports }) => ({ host, ...(ports !== undefined && { ports }) }));
}
