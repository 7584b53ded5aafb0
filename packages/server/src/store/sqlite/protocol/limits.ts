import type { QuotaName } from "@berth/contract";
import type { AuditDraft } from "../../audit.ts";

/** What changes quotas. */
export interface LimitOperations {
  setQuotas(args: {
    readonly orgId: string;
    readonly quotas: Readonly<Partial<Record<QuotaName, number | null>>>;
    readonly audit: AuditDraft;
  }): void;
  setQuotaDefaults(defaults: Readonly<Partial<Record<QuotaName, number | null>>>): void;
}
