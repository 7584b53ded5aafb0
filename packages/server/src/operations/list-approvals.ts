import type { Approval, Page } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { approvalFor, visibleTo } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { approvalView, pageView } from "./views.ts";

interface ApprovalFilter {
  readonly limit: number;
  readonly after?: string;
  readonly sessionId?: string;
  readonly status?: Approval["status"];
}

/** Newest first. */
export async function listApprovals(
  context: OperationsContext,
  principal: Principal,
  filter: ApprovalFilter,
): Promise<Page<Approval>> {
  requirePermission(principal, "approval:read");
  return pageView(
    await context.store.org(principal.orgId).listApprovals({ ...filter, ...visibleTo(principal) }),
    approvalView,
  );
}

/** Rejects with `approval_not_found`. */
export async function getApproval(
  context: OperationsContext,
  principal: Principal,
  { approvalId }: { readonly approvalId: string },
): Promise<Approval> {
  const { approval } = await approvalFor({ context, principal, id: approvalId, permission: "approval:read" });
  return approvalView(approval);
}
