import type { Answer, AnswerStep } from "./answers.ts";

const event = (payload: unknown) => `data: ${JSON.stringify(payload)}\n\n`;

function chunk(delta: unknown, finish: string | null = null, more: object = {}): string {
  return event({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "test-model",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  });
}

type Calls = Extract<AnswerStep, { calls: unknown }>["calls"];

/** Pieces of parallel calls come in turn, as OpenAI may send them. */
function callChunks(calls: Calls): string[] {
  const heads = calls.map(({ name }, index) =>
    chunk({
      tool_calls: [{ index, id: `fromServer${index}`, type: "function", function: { name, arguments: "" } }],
    }),
  );
  const longest = Math.max(...calls.map(({ pieces }) => pieces.length));
  const pieces: string[] = [];
  for (let at = 0; at < longest; at++) {
    for (const [index, call] of calls.entries()) {
      const piece = call.pieces[at];
      if (piece !== undefined)
        pieces.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
    }
  }
  return [...heads, ...pieces];
}

/** An answer as chat completions stream it, without its end. `thinking` makes the delta that carries reasoning. */
export function openChatEvents(answer: Answer, thinking: (text: string) => unknown): readonly string[] {
  const steps = answer.steps.flatMap((step) => {
    if ("text" in step) return step.text.map((content) => chunk({ content }));
    if ("thinking" in step) return step.thinking.map((text) => chunk(thinking(text)));
    return callChunks(step.calls);
  });
  return [chunk({ role: "assistant", content: "" }), ...steps];
}

/** The whole answer; its usage comes in a chunk of its own (OpenAI) or with the finish reason (Mistral). */
export function chatEvents(
  answer: Answer,
  thinking: (text: string) => unknown,
  usageWith: "own chunk" | "finish" = "own chunk",
): readonly string[] {
  const { input, output } = answer.usage;
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  const body = openChatEvents(answer, thinking);
  if (usageWith === "finish") return [...body, chunk({}, answer.finish, { usage }), "data: [DONE]\n\n"];
  return [...body, chunk({}, answer.finish), chunk(null, null, { choices: [], usage }), "data: [DONE]\n\n"];
}
