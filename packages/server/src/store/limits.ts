import type { QuotaName } from "@berth/contract";
import type { AuditDraft } from "./audit.ts";

export interface QuotaRecord {
  readonly name: QuotaName;
  /** Null: not limited. */
  readonly limit: number | null;
  readonly used: number;
  readonly source: "org" | "default";
}

/** What the fair share of an organization goes by. */
export interface OrgShare {
  /** Relative to other organizations; 1 unless the operator set another. */
  readonly weight: number;
  /** Runs that may go on at once; null: not limited. */
  readonly runningSessions: number | null;
}

/** `OrgStore.limits`: what an organization may have. Changes that would be over a quota reject with `quota_exceeded`. */
export interface OrgLimits {
  /** All of them, in the order of `quotaNames`. */
  quotas(): Promise<readonly QuotaRecord[]>;
  /** Replaces all of the organization's own quotas; null: not limited. What is over a quota already stays. */
  setQuotas(change: {
    readonly quotas: Readonly<Partial<Record<QuotaName, number | null>>>;
    readonly audit: AuditDraft;
  }): Promise<void>;
  share(): Promise<OrgShare>;
}

/** `SystemStore.limits`. */
export interface SystemLimits {
  /** Replaces the defaults of all organizations; what is null or not named is not limited. */
  setDefaults(defaults: Readonly<Partial<Record<QuotaName, number | null>>>): Promise<void>;
}
