import type { AgentRef, ErrorInfo, EventData, ToolContent, Usage } from "@berth/contract";
import { contextTokens } from "./context-window.ts";
import type { NewEvent } from "./new-event.ts";
import { type NamespaceState, root, type SessionState, type ToolCall } from "./state.ts";

/** A finished block of a model's answer, with everything that was decided about it. */
export type Block = { readonly blockId: number } & BlockContent;

type BlockContent =
  | { readonly type: "thinking"; readonly text: string; readonly signature?: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly call: Omit<EventData<"agent.tool_use">, "messageId" | "blockId"> };

export interface StepResult {
  readonly namespace: string;
  readonly stepId: string;
  readonly messageId: string;
  readonly blocks: readonly Block[];
  readonly model: string;
  readonly usage: Usage;
  readonly cost: number | null;
  readonly ttftMs: number | null;
  readonly durationMs: number;
  readonly finish: EventData<"step.finished">["finish"];
  readonly estimated?: boolean;
}

/** The step.started of a namespace that is about to call its model. */
export function beginStep(at: NamespaceState, stepId: string): NewEvent<"step.started"> {
  const data = { model: at.model, estimatedTokens: contextTokens(at) };
  return { type: "step.started", namespace: at.name, stepId, data };
}

/** A model's answer: its blocks, the end of the step, and the results of calls that cannot be made. */
export function finishStep(step: StepResult): readonly NewEvent[] {
  const { namespace, stepId, messageId } = step;
  const events: NewEvent[] = step.blocks.map((block) => ({
    ...blockEvent(block, messageId),
    namespace,
    stepId,
  }));
  const { model, usage, cost, ttftMs, durationMs, finish, estimated } = step;
  const data = {
    model,
    usage,
    cost,
    ttftMs,
    durationMs,
    finish,
    ...(estimated !== undefined && { estimated }),
  };
  events.push({ type: "step.finished", namespace, stepId, data });
  for (const block of step.blocks) {
    const refused = block.type === "tool_use" ? refusal(namespace, block.call) : null;
    if (refused !== null) events.push(refused);
  }
  return events;
}

function blockEvent(block: Block, messageId: string): NewEvent {
  const { blockId } = block;
  switch (block.type) {
    case "thinking": {
      const signature = block.signature === undefined ? {} : { signature: block.signature };
      return { type: "agent.thinking", data: { messageId, blockId, text: block.text, ...signature } };
    }
    case "text":
      return { type: "agent.message", data: { messageId, blockId, text: block.text } };
    case "tool_use":
      return { type: "agent.tool_use", data: { ...block.call, messageId, blockId } };
  }
}

function refusal(
  namespace: string,
  call: Omit<EventData<"agent.tool_use">, "messageId" | "blockId">,
): NewEvent<"agent.tool_result"> | null {
  const { toolUseId, name, invalid, permission, rule } = call;
  if (invalid !== undefined) {
    const data = {
      toolUseId,
      name,
      ok: false,
      content: invalid,
      errorType: "validation" as const,
      retryable: true,
    };
    return { type: "agent.tool_result", namespace, data };
  }
  if (permission !== "deny") return null;
  const content = `This call is not permitted${rule === undefined ? "" : ` (${rule})`}.`;
  const data = { toolUseId, name, ok: false, content, errorType: "denied" as const, retryable: false };
  return { type: "agent.tool_result", namespace, data };
}

/** Asks a person about a call. The approval's id is the call's, under its own prefix: a call is asked about once. */
export function askApproval(
  state: SessionState,
  at: NamespaceState,
  call: ToolCall,
  expiresAt: string,
): NewEvent<"approval.requested"> {
  const { toolUseId, name, input, inputHash } = call;
  const data = {
    approvalId: approvalIdOf(toolUseId),
    toolUseId,
    name,
    input,
    inputHash,
    expiresAt,
    path: pathOf(state, at),
  };
  return { type: "approval.requested", namespace: at.name, data };
}

export function approvalIdOf(toolUseId: string): string {
  return toolUseId.replace(/^tlu_/, "apr_");
}

/** Names of the agents from the session's own down to a namespace's. */
export function pathOf(state: SessionState, at: NamespaceState): string[] {
  const parent = at.parent === null ? undefined : state.namespaces[at.parent.namespace];
  return parent === undefined ? [at.agent.name] : [...pathOf(state, parent), at.agent.name];
}

/** Asks the caller to run one of its tools. */
export function requestInput(
  at: NamespaceState,
  call: ToolCall,
  expiresAt: string,
): NewEvent<"input.requested"> {
  const { toolUseId, name, input } = call;
  return { type: "input.requested", namespace: at.name, data: { toolUseId, name, input, expiresAt } };
}

/** The committed start of a call of effect `once`. */
export function startTool(
  at: NamespaceState,
  call: ToolCall,
  attempt: number,
): NewEvent<"agent.tool_started"> {
  const { toolUseId, effect, inputHash } = call;
  return { type: "agent.tool_started", namespace: at.name, data: { toolUseId, effect, attempt, inputHash } };
}

export interface Delegation {
  readonly agent: AgentRef;
  readonly model: string;
  readonly task: string;
}

/** Begins a sub-agent inside this session, or tells the model why it cannot be. */
export function delegate(
  state: SessionState,
  at: NamespaceState,
  call: ToolCall,
  to: Delegation | { readonly refused: string },
): NewEvent {
  if ("refused" in to) return refuseToDelegate(at, call, to.refused);
  const { run } = state;
  const depth = at.depth + 1;
  if (run === null || depth > run.limits.maxDepth)
    return refuseToDelegate(at, call, `Agents may delegate at most ${at.depth} deep here.`);
  const prefix = at.name === root ? "" : `${at.name}/`;
  const data = { toolUseId: call.toolUseId, namespace: `${prefix}${to.agent.name}-${run.subagents + 1}` };
  return { type: "subagent.started", namespace: at.name, data: { ...data, ...to, depth } };
}

function refuseToDelegate(
  at: NamespaceState,
  call: ToolCall,
  content: string,
): NewEvent<"agent.tool_result"> {
  const { toolUseId, name } = call;
  const data = {
    toolUseId,
    name,
    ok: false,
    content,
    errorType: "validation" as const,
    retryable: true,
  };
  return { type: "agent.tool_result", namespace: at.name, data };
}

/** A sub-agent's end and, derived from it, the result of the call that began it. */
export function finishSubagent(
  at: NamespaceState,
  ending: { readonly error?: ErrorInfo } = {},
): readonly NewEvent[] {
  if (at.parent === null) return [];
  const { namespace, toolUseId } = at.parent;
  const { error } = ending;
  const reason = error === undefined ? "end_turn" : "error";
  const result = at.lastText;
  const outcome =
    error === undefined
      ? { ok: true, content: result === "" ? "The agent finished and said nothing." : result }
      : {
          ok: false,
          content: `The agent failed: ${error.message}`,
          errorType: "runtime" as const,
          retryable: error.retryable,
        };
  return [
    { type: "subagent.finished", namespace, data: { toolUseId, namespace: at.name, reason, result } },
    { type: "agent.tool_result", namespace, data: { toolUseId, name: "delegate", ...outcome } },
  ];
}

/** What a tool gave back. */
export interface ToolDone {
  readonly ok: boolean;
  readonly content: ToolContent;
  readonly errorType?: EventData<"agent.tool_result">["errorType"];
  readonly retryable?: boolean;
  readonly note?: string;
  readonly suggestions?: string[];
  readonly durationMs: number;
  readonly output?: EventData<"agent.tool_result">["output"];
}

/** The one result of a call. */
export function finishTool(namespace: string, call: ToolCall, done: ToolDone): NewEvent<"agent.tool_result"> {
  const { toolUseId, name, inputHash } = call;
  return {
    type: "agent.tool_result",
    namespace,
    data: { toolUseId, name, ...done, executedHash: inputHash },
  };
}
