import type { ApprovalRequest, RunHandlers } from "./run-options.ts";
import type { FollowedEvent } from "../event-frame.ts";
import { BerthApiError } from "../error.ts";
import type { ToolContent } from "@berth/contract";

/** How answers go back. */
export interface Answers {
  toolResult(answer: { toolUseId: string; content: ToolContent; ok: boolean }): Promise<unknown>;
  decide(
    approvalId: string,
    decision: Awaited<ReturnType<NonNullable<RunHandlers["onApproval"]>>>,
  ): Promise<unknown>;
}

/** Runs client tools and asks for decisions; what was answered already, here or elsewhere, is left alone. */
export interface Responder {
  /** Notes what is asked and what has been answered. */
  take(event: FollowedEvent): void;
  /** Begins to answer everything that is open; called once the backlog has been read. */
  start(): void;
  /** Tells handlers at work that their answer is no longer wanted. */
  stop(): void;
}

interface Request {
  readonly begin: (signal: AbortSignal) => Promise<unknown>;
}

export function createResponder(
  handlers: RunHandlers,
  answers: Answers,
  fail: (error: unknown) => void,
): Responder {
  const open = new Map<string, Request>();
  const working = new Map<string, AbortController>();

  function toolRequest(event: Extract<FollowedEvent, { type: "input.requested" }>): void {
    const { toolUseId, name, input } = event.data;
    const tool = handlers.tools?.[name];
    if (tool === undefined) return;
    open.set(toolUseId, {
      async begin(signal) {
        const { content, ok } = await tool(input, { toolUseId, signal }).then(succeeded, failed);
        if (!signal.aborted) await answers.toolResult({ toolUseId, content, ok });
      },
    });
  }

  function approvalRequest(event: Extract<FollowedEvent, { type: "approval.requested" }>): void {
    const { onApproval } = handlers;
    if (onApproval === undefined) return;
    const request: ApprovalRequest = { ...event.data, namespace: event.namespace };
    open.set(event.data.approvalId, {
      async begin(signal) {
        const decision = await onApproval(request, { signal });
        if (!signal.aborted && decision !== undefined) await answers.decide(request.approvalId, decision);
      },
    });
  }

  function close(ref: string): void {
    open.delete(ref);
    working.get(ref)?.abort(new Error("the answer is no longer wanted"));
    working.delete(ref);
  }

  return {
    take(event) {
      if (event.type === "input.requested") toolRequest(event);
      else if (event.type === "approval.requested") approvalRequest(event);
      else if (event.type === "agent.tool_result") close(event.data.toolUseId);
      else if (event.type === "approval.decided" || event.type === "approval.expired")
        close(event.data.approvalId);
    },
    start() {
      for (const [ref, { begin }] of open) {
        const controller = new AbortController();
        working.set(ref, controller);
        begin(controller.signal).catch((error: unknown) => {
          if (!controller.signal.aborted && !isLate(error)) fail(error);
        });
      }
      open.clear();
    },
    stop() {
      for (const ref of working.keys()) close(ref);
    },
  };
}

/** Somebody else answered, or the run went on without. */
function isLate(error: unknown): boolean {
  return error instanceof BerthApiError && error.status === 409;
}

function succeeded(result: unknown): { content: ToolContent; ok: boolean } {
  if (typeof result === "string") return { content: result, ok: true };
  return { content: JSON.stringify(result) ?? "done", ok: true };
}

function failed(error: unknown): { content: ToolContent; ok: boolean } {
  return { content: error instanceof Error ? error.message : String(error), ok: false };
}
