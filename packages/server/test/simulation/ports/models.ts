import type { ModelCall, ModelClient, ModelMessage, ModelPart, Models } from "../../../src/models/model.ts";
import type { Life } from "../engine/life.ts";
import { parseScript } from "../plan/script.ts";
import type { Mishaps } from "./mishaps.ts";
import { asksForSummary, shownOf, type Summary, summaryOf } from "./summary.ts";
import type { Work } from "./work.ts";

/** The session's actor that calls, as runtime gives it. */
export interface Caller {
  readonly orgId: string;
  readonly sessionId?: string;
  readonly epoch?: number;
}

export interface ModelWorld {
  readonly mishaps: Mishaps;
  readonly contextWindow: number;
  /** It refuses what does not fit its window. */
  readonly strict: boolean;
  /** The texts of all answers, whole; the number of each is in its pieces. */
  readonly answers: string[];
  /** All summaries, by their number. */
  readonly summaries: Summary[];
  /** Is told of each call when it starts. */
  readonly called: (caller: Caller, call: ModelCall, signal: AbortSignal) => void;
  /** Is told who is busy; what it gives back is called at the end. */
  readonly begin: (life: string, work: Work) => () => void;
}

/** As a provider counts them, so that contexts fill their windows. */
function usageOf({ request }: ModelCall) {
  const inputTokens = Math.ceil(JSON.stringify(request.messages).length / bytesPerToken);
  return { inputTokens, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
}

const bytesPerToken = 4;

/** Models whose answers follow from the conversation: the last message says what to do, how often it was answered says how far it is. */
export function modelsOf(world: ModelWorld, life: Life): Models {
  const info = {
    name: "sim/model",
    provider: "sim",
    contextWindow: world.contextWindow,
    maxOutputTokens: null,
    price: null,
    demo: false,
  };
  const clientOf = (caller: Caller): ModelClient => ({
    knows: (name) => name.startsWith("sim/"),
    info: () => info,
    cost: () => null,
    list: async () => [info],
    stream(call, signal) {
      world.called(caller, call, signal);
      const { sessionId = "", epoch = null } = caller;
      const what = asksForSummary(call) ? "a summary" : "a model";
      const end = world.begin(life.name, { what, sessionId, epoch, signal });
      return thenCall(stream(world, life, { ...caller, call }, signal), end);
    },
  });
  return { ...clientOf({ orgId: "" }), of: (scope) => ({ ...clientOf(scope), ready: async () => {} }) };
}

async function* thenCall<T>(parts: AsyncGenerator<T>, end: () => void): AsyncGenerator<T> {
  try {
    yield* parts;
  } finally {
    end();
  }
}

interface Writing extends Caller {
  readonly call: ModelCall;
}

async function* stream(
  world: ModelWorld,
  life: Life,
  writing: Writing,
  signal: AbortSignal,
): AsyncGenerator<readonly ModelPart[]> {
  const { mishaps, contextWindow, strict } = world;
  const { call } = writing;
  const ofSummary = asksForSummary(call);
  const mishap = mishaps.take("model", { ofSummary });
  const { random } = life;
  await life.call(ofSummary ? "summary" : "model", () => undefined);
  if (mishap?.kind === "model-slow") await life.sleep(mishap.ms, "slow model", signal);
  if (mishap?.kind === "model-hang") {
    await life.sleep(20_000, "hanging model", signal);
    return yield [failed("timeout", true)];
  }
  if (mishap?.kind === "model-error") return yield [failed("server_error", random.chance(0.5))];
  if (strict && !ofSummary && usageOf(call).inputTokens > contextWindow)
    return yield [failed("context_length_exceeded", false)];
  let parts = partsOf(world, writing);
  let slowest = 20;
  let left =
    mishap?.kind === "model-cut" || mishap?.kind === "model-retry" ? random.int(0, parts.length - 2) : -1;
  for (let at = 0; at < parts.length; at++) {
    await life.sleep(0.5 + random.next() * slowest, "model writes", signal);
    life.point(ofSummary ? "text of a summary" : "text");
    if (signal.aborted) return yield [failed("aborted", false)];
    if (left === 0 && mishap?.kind === "model-cut") {
      if (ofSummary) yield [failed("cut_off", true)];
      return;
    }
    if (left === 0 && mishap?.kind === "model-retry") {
      const error = { code: "overloaded", message: "simulated", retryable: true } as const;
      yield [{ type: "retry", attempt: 1, delayMs: 10, error }];
      parts = partsOf(world, writing);
      slowest = 800;
      at = -1;
    } else yield [parts[at] as ModelPart];
    left -= 1;
  }
}

function partsOf(world: ModelWorld, writing: Writing): readonly ModelPart[] {
  const { call, sessionId = "", epoch = null } = writing;
  if (!asksForSummary(call)) return answer(call, world.answers);
  const shown = shownOf(call);
  const pieces = summaryOf(shown, world.summaries.length);
  world.summaries.push({ sessionId, epoch, shown, text: pieces.join("").trim(), used: false });
  return [
    ...pieces.map((text): ModelPart => ({ type: "text", block: 0, text })),
    { type: "usage", usage: usageOf(call) },
    { type: "finish", finish: "stop" },
  ];
}

function failed(
  code: "server_error" | "aborted" | "timeout" | "cut_off" | "context_length_exceeded",
  retryable: boolean,
): ModelPart {
  return { type: "error", error: { code, message: "simulated", retryable } };
}

function answer(call: ModelCall, answers: string[]): readonly ModelPart[] {
  const { messages } = call.request;
  const asked = messages.findLastIndex(
    (message) => message.role === "user" && parseScript(textOf(message)) !== null,
  );
  const message = messages[asked];
  const script = message === undefined ? null : parseScript(textOf(message));
  const turn = messages.slice(asked).filter(({ role }) => role === "assistant").length;
  const words = script?.turns[turn] ?? [];
  const calls = words.filter((word) => word !== "text");
  const tag = `${script?.tag ?? "?"}/${turn}`;
  const more = answers.length % 4 === 0 ? ["as", "I", "was", "told"] : [];
  const pieces = ["I answer", tag, ...more].map((piece) => `${piece}[${answers.length}] `);
  answers.push(pieces.join(""));
  const text: ModelPart[] = pieces.map((piece) => ({ type: "text", block: 0, text: piece }));
  const end: ModelPart[] = [
    { type: "usage", usage: usageOf(call) },
    { type: "finish", finish: calls.length > 0 ? "tool_calls" : "stop" },
  ];
  return [...text, ...calls.flatMap((word, index) => callOf(word, index + 1, tag)), ...end];
}

/** `helper:fire` delegates a script of one turn; any other word is a tool. */
function callOf(word: string, block: number, tag: string): readonly ModelPart[] {
  const [agent = "", task] = word.split(":");
  const name = task === undefined ? agent : "delegate";
  const input =
    task === undefined ? { tag: `${tag}/${block}` } : { agent, task: `#${tag}/${block} do ${task}` };
  return [
    { type: "tool_call", block, name },
    { type: "tool_input", block, text: JSON.stringify(input) },
  ];
}

function textOf(message: ModelMessage): string {
  if (message.role !== "user") return "";
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}
