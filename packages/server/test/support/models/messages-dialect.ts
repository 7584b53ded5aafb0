import type { Answer } from "./answers.ts";

function event(type: string, payload: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...payload })}\n\n`;
}

interface WireBlock {
  readonly start: object;
  readonly deltas: readonly object[];
}

function blocksOf(answer: Answer): readonly WireBlock[] {
  return answer.steps.flatMap((step): readonly WireBlock[] => {
    if ("text" in step) {
      return [
        {
          start: { type: "text", text: "" },
          deltas: step.text.map((text) => ({ type: "text_delta", text })),
        },
      ];
    }
    if ("thinking" in step) {
      const deltas = step.thinking.map((thinking) => ({ type: "thinking_delta", thinking }));
      const signed = [...deltas, { type: "signature_delta", signature: "c2lnbmF0dXJl" }];
      return [{ start: { type: "thinking", thinking: "", signature: "" }, deltas: signed }];
    }
    return step.calls.map(({ name, pieces }, index) => ({
      start: { type: "tool_use", id: `toolu_${index}`, name, input: {} },
      deltas: ["", ...pieces].map((partial_json) => ({ type: "input_json_delta", partial_json })),
    }));
  });
}

const stopReasons = {
  stop: "end_turn",
  tool_calls: "tool_use",
  length: "max_tokens",
  content_filter: "refusal",
};

/** An answer as the messages API streams it. */
export function messagesEvents(answer: Answer): readonly string[] {
  const message = { id: "msg_1", type: "message", role: "assistant", model: "test-model", content: [] };
  const { input, output } = answer.usage;
  return [
    event("message_start", {
      message: { ...message, stop_reason: null, usage: { input_tokens: input, output_tokens: 1 } },
    }),
    event("ping", {}),
    ...blocksOf(answer).flatMap(({ start, deltas }, index) => [
      event("content_block_start", { index, content_block: start }),
      ...deltas.map((delta) => event("content_block_delta", { index, delta })),
      event("content_block_stop", { index }),
    ]),
    event("message_delta", {
      delta: { stop_reason: stopReasons[answer.finish], stop_sequence: null },
      usage: { output_tokens: output },
    }),
    event("message_stop", {}),
  ];
}

/** The same without the end of its last block and of itself. */
export function openMessagesEvents(answer: Answer): readonly string[] {
  return messagesEvents(answer).slice(0, -3);
}
