import type { Usage } from "@berth/contract";
import { newId } from "../../lib/id.ts";
import { failpoint } from "../../lib/failpoint.ts";
import type { ModelCall, ModelClient, ModelError, ModelPart } from "../../models/model.ts";
import type { Block, StepResult } from "../../session/decide-step.ts";
import { messageIdOf } from "../../session/message-id.ts";
import type { NewEvent } from "../../session/new-event.ts";
import { textTokens } from "../../session/size.ts";
import { noUsage } from "../../session/state.ts";
import type { RuntimeContext } from "../context.ts";
import type { LiveText } from "../live-text.ts";
import type { ToolSet } from "../toolset.ts";

export interface ModelJob {
  readonly context: RuntimeContext;
  readonly models: Pick<ModelClient, "stream" | "cost">;
  readonly live: LiveText;
  readonly tools: ToolSet;
  readonly call: ModelCall;
  readonly orgId: string;
  readonly sessionId: string;
  readonly runId: string;
  readonly namespace: string;
  readonly stepId: string;
  readonly estimatedTokens: number;
  /** The first attempt's number; each retry adds one. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** For what is told while the call goes on: retries and fallbacks. */
  readonly note: (event: NewEvent) => void;
}

export type ModelOutcome =
  | { readonly ok: true; readonly step: StepResult }
  | { readonly ok: false; readonly error: ModelError; readonly step: StepResult };

interface Draft {
  type: "text" | "thinking" | "tool_call";
  text: string;
  signature?: string;
  tool?: { toolUseId: string; name: string };
}

interface Progress {
  attempt: number;
  model: string;
  blocks: Map<number, Draft>;
  usage: Usage | null;
  ttftMs: number | null;
}

/** Calls a model for one step, tells the text as it comes, and gives back the finished blocks. Never rejects. */
export async function callModel(job: ModelJob): Promise<ModelOutcome> {
  const { clock } = job.context;
  const startedAt = clock.monotonic();
  const progress: Progress = {
    attempt: job.attempt,
    model: job.call.models[0] ?? "",
    blocks: new Map(),
    usage: null,
    ttftMs: null,
  };
  failpoint("runtime.before-model");
  let last: ModelPart | null = null;
  for await (const parts of job.models.stream(job.call, job.signal)) {
    for (const part of parts) {
      // What comes after the end is shown to nobody: the log may hold the text so far already.
      if (!job.signal.aborted) take(job, progress, part, startedAt);
      last = part;
    }
    if (!job.signal.aborted) job.live.show();
    failpoint("runtime.model-streaming");
  }
  // Before the log says it: deltas that come after their block are of no use.
  if (!job.signal.aborted) job.live.flush();
  failpoint("runtime.model-finished");
  const durationMs = clock.monotonic() - startedAt;
  if (last?.type === "finish")
    return { ok: true, step: resultOf(job, progress, { durationMs, finish: last.finish }) };
  const error: ModelError = last?.type === "error" ? last.error : cutOff;
  return {
    ok: false,
    error,
    step: resultOf(job, { ...progress, blocks: new Map() }, { durationMs, finish: "error" }),
  };
}

const cutOff: ModelError = {
  code: "cut_off",
  message: "The model's answer ended before it was finished.",
  retryable: true,
};

function take(job: ModelJob, progress: Progress, part: ModelPart, startedAt: number): void {
  switch (part.type) {
    case "text":
    case "thinking":
    case "tool_call":
    case "tool_input":
      progress.ttftMs ??= job.context.clock.monotonic() - startedAt;
      return write(job, progress, part);
    case "usage":
      progress.usage = part.usage;
      return;
    case "retry": {
      const { code, message, retryable } = part.error;
      const { attempt, delayMs } = part;
      startOver(progress);
      job.note({
        type: "model.retried",
        ...placeOf(job),
        data: { model: progress.model, attempt, delayMs, error: { code, message, retryable } },
      });
      return;
    }
    case "fallback": {
      const { code, message, retryable } = part.error;
      startOver(progress);
      progress.model = part.to;
      job.note({
        type: "model.fell_back",
        ...placeOf(job),
        data: { from: part.from, to: part.to, error: { code, message, retryable } },
      });
      return;
    }
    case "finish":
    case "error":
      return;
  }
}

function placeOf(job: ModelJob): { namespace: string; stepId: string } {
  return { namespace: job.namespace, stepId: job.stepId };
}

function startOver(progress: Progress): void {
  progress.attempt += 1;
  progress.blocks = new Map();
  progress.usage = null;
}

type WritingPart = Extract<ModelPart, { type: "text" | "thinking" | "tool_call" | "tool_input" }>;

function write(job: ModelJob, progress: Progress, part: WritingPart): void {
  const block = blockOf(progress, part);
  if (block === null) return;
  const text = part.type === "tool_call" ? "" : part.text;
  block.text += text;
  if ("signature" in part && part.signature !== undefined) block.signature = part.signature;
  if (text === "" && part.type !== "tool_call") return;
  const type =
    block.type === "text"
      ? "agent.message.delta"
      : block.type === "thinking"
        ? "agent.thinking.delta"
        : "agent.tool_use.delta";
  const { namespace, stepId, runId } = job;
  const place = {
    type,
    namespace,
    stepId,
    runId,
    messageId: messageIdOf(stepId),
    blockId: part.block,
    attempt: progress.attempt,
  } as const;
  job.live.append(block.tool === undefined ? place : { ...place, tool: block.tool }, text);
}

function blockOf(progress: Progress, part: WritingPart): Draft | null {
  const open = progress.blocks.get(part.block);
  if (open !== undefined) return open;
  if (part.type === "tool_input") return null;
  const made: Draft = { type: part.type, text: "" };
  if (part.type === "tool_call") made.tool = { toolUseId: newId("toolUse"), name: part.name };
  progress.blocks.set(part.block, made);
  return made;
}

function resultOf(
  job: ModelJob,
  progress: Progress,
  end: { durationMs: number; finish: StepResult["finish"] },
): StepResult {
  const { namespace, stepId } = job;
  const usage = progress.usage ?? estimatedUsage(job, progress);
  return {
    namespace,
    stepId,
    messageId: messageIdOf(stepId),
    blocks: blocksOf(job, progress),
    model: progress.model,
    usage,
    cost: job.models.cost(progress.model, usage),
    ttftMs: progress.ttftMs === null ? null : Math.round(progress.ttftMs * 10) / 10,
    durationMs: Math.round(end.durationMs * 10) / 10,
    finish: end.finish,
    ...(progress.usage === null && { estimated: true }),
  };
}

function blocksOf(job: ModelJob, progress: Progress): readonly Block[] {
  const ordered = [...progress.blocks].toSorted(([a], [b]) => a - b);
  return ordered.flatMap(([blockId, { type, text, signature, tool }]): Block[] => {
    const signed = signature === undefined ? {} : { signature };
    if (tool !== undefined) {
      return [{ blockId, type: "tool_use", call: job.tools.judge({ ...tool, rawInput: text, ...signed }) }];
    }
    if (type === "thinking")
      return text === "" && signature === undefined ? [] : [{ blockId, type, text, ...signed }];
    return text === "" ? [] : [{ blockId, type: "text", text }];
  });
}

function estimatedUsage(job: ModelJob, progress: Progress): Usage {
  let outputTokens = 0;
  for (const { text } of progress.blocks.values()) outputTokens += textTokens(text);
  return { ...noUsage, inputTokens: job.estimatedTokens, outputTokens };
}
