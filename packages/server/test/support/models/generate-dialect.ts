import type { Answer } from "./answers.ts";

const reasons = { stop: "STOP", tool_calls: "STOP", length: "MAX_TOKENS", content_filter: "SAFETY" };

function event(parts: readonly object[], more: object = {}, finish: object = {}): string {
  const candidate = { content: { role: "model", parts }, index: 0, ...finish };
  return `data: ${JSON.stringify({ candidates: [candidate], ...more })}\n\n`;
}

/** An answer as Gemini's `streamGenerateContent` sends it, without its end. Arguments come as whole objects. */
export function openGenerateEvents(answer: Answer): readonly string[] {
  return answer.steps.flatMap((step) => {
    if ("text" in step) return step.text.map((text) => event([{ text }]));
    if ("thinking" in step) return step.thinking.map((text) => event([{ text, thought: true }]));
    const parts = step.calls.map(({ name, pieces }) => ({
      functionCall: { name, args: argsOf(pieces.join("")) },
    }));
    return [event(parts)];
  });
}

export function generateEvents(answer: Answer): readonly string[] {
  const { input, output } = answer.usage;
  const usageMetadata = {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output,
  };
  return [
    ...openGenerateEvents(answer),
    event([], { usageMetadata }, { finishReason: reasons[answer.finish] }),
  ];
}

function argsOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
