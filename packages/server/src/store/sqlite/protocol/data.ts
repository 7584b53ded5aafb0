import type { AuditDraft } from "../../audit.ts";
import type { ErasureRecord, ExportRecord, OrgData, SystemData } from "../../data.ts";
import type { Outcome } from "../../store.ts";

type InOrg<K extends keyof OrgData> = Parameters<OrgData[K]>[0] & { readonly orgId: string };
type Of<K extends keyof SystemData> = Parameters<SystemData[K]>[0];

export interface EraseSlice {
  readonly orgId: string;
  readonly erasureId: string;
  readonly limit: number;
}

/** What changes exports and erasures, and what erases. */
export interface DataOperations {
  createExport(args: InOrg<"createExport">): Outcome<ExportRecord>;
  deleteExport(args: InOrg<"deleteExport">): boolean;
  takeExport(args: null): ExportRecord | null;
  noteExport(args: Of<"noteExport">): void;
  endExport(args: Of<"endExport">): boolean;
  expireExports(args: { readonly limit: number }): readonly { readonly orgId: string; readonly id: string }[];
  dropExport(args: Of<"dropExport">): void;
  createErasure(args: InOrg<"createErasure">): Outcome<ErasureRecord>;
  eraseSession(args: {
    readonly orgId: string;
    readonly erasureId: string;
    readonly sessionId: string;
  }): void;
  eraseRows(args: EraseSlice): number;
  blobsToErase(args: EraseSlice): readonly string[];
  forgetErasedBlobs(args: Of<"forgetErasedBlobs">): void;
  noteErasure(args: Of<"noteErasure">): void;
  /** orgId: whose audit log is told. */
  endErasure(args: {
    readonly orgId: string;
    readonly erased: { readonly orgId: string; readonly id: string };
    readonly audit: AuditDraft;
  }): ErasureRecord;
  forgetUsage(args: InOrg<"forgetUsage">): number;
  /** True: done after the commit of its batch. */
  truncateLog(args: null): boolean;
}
