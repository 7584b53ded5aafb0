import { type ApprovalRequest, BerthApiError, type BerthClient, type DecideBody } from "@berth/client";
import { advised } from "../advice.ts";
import { askApproval, type Asking } from "./ask-approval.ts";

/** Statuses of a decision that cannot be taken as it is; another one can. */
const wrong: readonly number[] = [400, 413, 422];

/**
 * Asks the person at the terminal, and again as long as the server does not take the new arguments. Undefined when it is decided:
 * elsewhere, or by new arguments that are sent from here.
 */
export async function decideHere(
  client: BerthClient,
  request: ApprovalRequest,
  at: Asking,
): Promise<DecideBody | undefined> {
  for (;;) {
    const decision = await askApproval(request, at);
    if (decision === undefined || decision.decision !== "edit") return decision;
    try {
      await client.approvals.decide(request.approvalId, decision);
      return undefined;
    } catch (error) {
      if (!(error instanceof BerthApiError) || !wrong.includes(error.status)) throw error;
      const fields = error.errors.filter(({ detail }) => !error.detail.includes(detail));
      const said = [error.detail, ...fields.map(({ pointer, detail }) => `${pointer} ${detail}`)];
      at.printer.out(`${said.map(advised).join("\n  ")}\n`);
    }
  }
}
