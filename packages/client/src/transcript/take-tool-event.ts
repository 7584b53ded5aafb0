import type { SessionEvent } from "@berth/contract";
import type { ToolBlock } from "./block.ts";
import type { Blocks } from "./blocks.ts";
import { placeOf } from "./take-model-event.ts";

type ToolEvent = SessionEvent<
  | "agent.tool_use"
  | "agent.tool_started"
  | "agent.tool_result"
  | "approval.requested"
  | "approval.decided"
  | "approval.expired"
  | "input.requested"
>;

export function takeToolEvent(blocks: Blocks, event: ToolEvent): void {
  if (event.type === "agent.tool_use") return blocks.put(calledTool(event));
  const block = blocks.findTool(event.data.toolUseId);
  if (block !== undefined) blocks.put({ ...block, ...changeOf(block, event) });
}

function calledTool(event: SessionEvent<"agent.tool_use">): ToolBlock {
  const { toolUseId, messageId, name, input, rawInput } = event.data;
  return {
    ...placeOf(event),
    kind: "tool",
    key: toolUseId,
    toolUseId,
    messageId,
    name,
    state: "pending",
    input,
    inputText: rawInput ?? JSON.stringify(input) ?? "",
    progress: "",
    progressFrom: 0,
    approval: null,
    result: null,
  };
}

function changeOf(
  block: ToolBlock,
  event: Exclude<ToolEvent, { type: "agent.tool_use" }>,
): Partial<ToolBlock> {
  const { approval } = block;
  switch (event.type) {
    case "agent.tool_started":
      return { state: "running", progress: "", progressFrom: 0 };
    case "approval.requested":
      return { state: "asking", approval: { ...event.data, status: "pending" } };
    case "approval.decided":
      return {
        state: "pending",
        approval: approval && { ...approval, status: decidedStatus[event.data.decision] },
        ...(event.data.decision === "edit" && {
          input: event.data.input,
          inputText: JSON.stringify(event.data.input),
        }),
      };
    case "approval.expired":
      return { state: "pending", approval: approval && { ...approval, status: "expired" } };
    case "input.requested":
      return { state: "requested" };
    case "agent.tool_result": {
      const { ok, content, errorType, note, suggestions, durationMs } = event.data;
      return {
        state: ok ? "ok" : errorType === "denied" ? "denied" : "failed",
        approval: approval?.status === "pending" ? { ...approval, status: "cancelled" } : approval,
        result: {
          ok,
          content,
          ...(errorType !== undefined && { errorType }),
          ...(note !== undefined && { note }),
          ...(suggestions !== undefined && { suggestions }),
          ...(durationMs !== undefined && { durationMs }),
        },
      };
    }
  }
}

const decidedStatus = { allow: "allowed", deny: "denied", edit: "edited" } as const;
