import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { EgressDecision, EgressListener } from "../sandbox/egress-decision.ts";
import type { SandboxRecord } from "../store/sandboxes.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Entries of the audit log that one sandbox can bring about. */
const mostTold = 100;
/** Sandboxes whose told hosts are remembered. */
const mostKnown = 1_000;

interface Known {
  readonly orgId: string;
  readonly userId: string | null;
  readonly sessionId: string | null;
  /** Hosts whose denial is in the audit log. */
  readonly told: Set<string>;
}

export interface EgressAuditOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Makes metrics, log lines and audit entries of what sandboxes asked of their egress proxies: `sandbox.egress_denied` for the first
 * denial of each host in each sandbox, at most a hundred for one sandbox.
 */
export class EgressAudit implements EgressListener {
  readonly #options: EgressAuditOptions;
  readonly #known = new Map<string, Known>();
  /** One after the other, so that no host is told twice. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: EgressAuditOptions) {
    this.#options = options;
  }

  /** A provider's `onEgress`. */
  readonly decided = (sandboxId: string, decision: EgressDecision): void => {
    const { telemetry } = this.#options;
    this.#work = this.#work
      .then(() => this.#tell(sandboxId, decision))
      .catch((error: unknown) => telemetry.unexpectedError({ where: "egress audit", error }));
  };

  /** Whether a sandbox host may tell of a sandbox: it is one of this server's, there. */
  readonly isOn = async (sandboxId: string, host: string): Promise<boolean> => {
    const record = await this.#options.store.system.sandboxes.find(sandboxId);
    if (record?.provider !== "remote" || record.host !== host) return false;
    // What it is told a moment later may come when the sandbox has ended and is nobody's any more.
    this.#learn(record);
    return true;
  };

  readonly lost: EgressListener["lost"] = (event) => this.#options.telemetry.egressLost(event);

  readonly failed: EgressListener["failed"] = (event) => this.#options.telemetry.egressFailed(event);

  /** Resolves when all that was decided so far is written. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async #tell(sandboxId: string, decision: EgressDecision): Promise<void> {
    const { store, clock, telemetry } = this.#options;
    const known = await this.#find(sandboxId);
    const { host, port, method, verdict, reason, count, bytesOut, bytesIn } = decision;
    const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const whose =
      known === null
        ? {}
        : { orgId: known.orgId, ...(known.sessionId !== null && { sessionId: known.sessionId }) };
    telemetry.egressAsked({
      ...whose,
      sandboxId,
      decision: verdict,
      reason,
      target,
      count,
      bytesOut,
      bytesIn,
    });
    if (known === null || verdict !== "denied" || known.told.has(host) || known.told.size >= mostTold) return;
    known.told.add(host);
    const { orgId, sessionId, userId } = known;
    await store.org(orgId).audit.append({
      id: newId("audit", clock.now()),
      actor: { type: "system", id: "egress", name: "egress proxy" },
      credential: null,
      action: "sandbox.egress_denied",
      target: { type: "sandbox", id: sandboxId },
      outcome: "refused",
      requestId: null,
      address: null,
      details: { host, port, method, reason, sessionId, userId },
    });
  }

  /** Null while it is nobody's, and when there is no such sandbox. */
  async #find(sandboxId: string): Promise<Known | null> {
    const known = this.#known.get(sandboxId);
    if (known !== undefined) return known;
    const record = await this.#options.store.system.sandboxes.find(sandboxId);
    return record === null ? null : this.#learn(record);
  }

  #learn({ id, orgId, userId, sessionId }: SandboxRecord): Known | null {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    if (orgId === null) return null;
    const found: Known = { orgId, userId, sessionId, told: new Set() };
    this.#known.set(id, found);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
    return found;
  }
}
