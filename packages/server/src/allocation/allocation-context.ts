import type { FailpointName } from "../lib/failpoint.ts";
import type { Clock } from "../lib/clock.ts";
import type { Capabilities, SandboxProvider } from "../sandbox/sandbox.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { newId } from "../lib/id.ts";
import type { AllocationSettings } from "./allocation-settings.ts";

/** What every part of allocation works with. */
export interface AllocationContext {
  readonly store: Store;
  readonly provider: SandboxProvider;
  /** What the provider can give, judged by what this server demands. */
  readonly probe: () => Promise<Capabilities>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: AllocationSettings;
  /** This server, as others see it in the store. */
  readonly instanceId: string;
  /** Whose sandboxes these are. */
  readonly deployment: () => Promise<string>;
  /** Told where it is; tests end the server there. */
  readonly step: (name: Extract<FailpointName, `allocation.${string}`>) => void;
}

/** How long a provider keeps a sandbox that nobody renews; it is renewed every minute. */
export const providerTtlMs = 5 * 60_000;

const actor = { type: "system", id: "allocation", name: "allocation" } as const;

/** An entry of the audit log that allocation writes by itself. */
export function systemAudit(
  { clock }: Pick<AllocationContext, "clock">,
  entry: Pick<AuditDraft, "action" | "target" | "details">,
): AuditDraft {
  return {
    ...entry,
    id: newId("audit", clock.now()),
    actor,
    credential: null,
    outcome: "done",
    requestId: null,
    address: null,
  };
}
