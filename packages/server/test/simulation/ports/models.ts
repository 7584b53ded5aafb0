import type { ModelCall, ModelClient, ModelMessage, ModelPart, Models } from "../../../src/models/model.ts";
import type { Life } from "../engine/life.ts";
import { parseScript } from "../plan/script.ts";
import type { Mishaps } from "./mishaps.ts";
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
  /** The texts of all answers, whole; the number of each is in its pieces. */
  readonly answers: string[];
  /** Is told of each call when it starts. */
  readonly called: (caller: Caller, call: ModelCall) => void;
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
      world.called(caller, call);
      const { sessionId = "", epoch = null } = caller;
      const end = world.begin(life.name, { what: "a model", sessionId, epoch, signal });
      return thenCall(stream(world, life, call, signal), end);
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

async function* stream(
  { mishaps, answers }: ModelWorld,
  life: Life,
  call: ModelCall,
  signal: AbortSignal,
): AsyncGenerator<readonly ModelPart[]> {
  const mishap = mishaps.take("model");
  const { random } = life;
  await life.call("model", () => undefined);
  if (mishap?.kind === "model-slow") await life.sleep(mishap.ms, "slow model", signal);
  if (mishap?.kind === "model-hang") {
    await life.sleep(20_000, "hanging model", signal);
    return yield [failed("timeout", true)];
  }
  if (mishap?.kind === "model-error") return yield [failed("server_error", random.chance(0.5))];
  let parts = answer(call, answers);
  let slowest = 20;
  let left =
    mishap?.kind === "model-cut" || mishap?.kind === "model-retry" ? random.int(0, parts.length - 2) : -1;
  for (let at = 0; at < parts.length; at++) {
    await life.sleep(0.5 + random.next() * slowest, "model writes", signal);
    life.point("text");
    if (signal.aborted) return yield [failed("aborted", false)];
    if (left === 0 && mishap?.kind === "model-cut") return;
    if (left === 0 && mishap?.kind === "model-retry") {
      const error = { code: "overloaded", message: "simulated", retryable: true } as const;
      yield [{ type: "retry", attempt: 1, delayMs: 10, error }];
      parts = answer(call, answers);
      slowest = 800;
      at = -1;
    } else yield [parts[at] as ModelPart];
    left -= 1;
  }
}

function failed(code: "server_error" | "aborted" | "timeout", retryable: boolean): ModelPart {
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
