import type { AuditCut, AuditDraft, AuditHead, AuditSeal } from "../../audit.ts";

/** What changes an audit log, beside the entries that commit with their changes. */
export interface AuditOperations {
  /** The entry is written as that of every other operation. */
  appendAudit(args: { readonly orgId: string; readonly audit: AuditDraft }): void;
  sealAudit(args: {
    readonly orgId: string;
    readonly head: AuditHead | null;
    readonly entries: readonly ({ readonly id: string } & AuditSeal)[];
  }): boolean;
  cutAudit(args: { readonly orgId: string; readonly cut: AuditCut; readonly limit: number }): number;
  eraseAuditPerson(args: {
    readonly orgId: string;
    readonly actorId: string;
    readonly limit: number;
  }): number;
}
