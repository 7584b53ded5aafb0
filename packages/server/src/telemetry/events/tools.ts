import type { ToolErrorType } from "@berth/contract";
import type { EventScope, Sinks } from "./scope.ts";

export interface ToolFinished extends EventScope {
  readonly toolUseId: string;
  readonly tool: string;
  /** Only a server's tool is counted under its own name: the other names are chosen by callers and models. */
  readonly kind: "server" | "client" | "delegate" | "unknown";
  readonly outcome: "ok" | "sealed" | ToolErrorType;
  readonly durationMs: number;
}

export interface ApprovalRequested extends EventScope {
  readonly approvalId: string;
  readonly tool: string;
}

export interface ApprovalClosed extends EventScope {
  readonly approvalId: string;
  readonly outcome: "allowed" | "denied" | "edited" | "expired" | "cancelled";
  readonly decidedBy?: string | undefined;
}

/** What happens with tools and their approvals. */
export function toolEvents({ logger, metrics }: Sinks) {
  return {
    toolFinished(event: ToolFinished): void {
      const tool = event.kind === "server" ? event.tool : event.kind;
      metrics.toolCalls.inc({ tool, outcome: event.outcome });
      metrics.toolSeconds.observe({ tool }, event.durationMs / 1_000);
      logger.debug({ ...event }, "tool finished");
    },

    approvalRequested(event: ApprovalRequested): void {
      metrics.approvalsRequested.inc();
      logger.info({ ...event }, "approval requested");
    },

    approvalClosed(event: ApprovalClosed): void {
      metrics.approvalsClosed.inc({ outcome: event.outcome });
      logger.info({ ...event }, "approval closed");
    },
  };
}
