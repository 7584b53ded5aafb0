import { type Clock, pause, systemClock } from "../../lib/clock.ts";
import type { ModelAdapter, ModelFinish, ModelPart, ModelRequest } from "../model.ts";
import { abortedError, modelError } from "../model-error.ts";
import { PartWriter } from "../part-writer.ts";
import { instructedTurn } from "./instructed.ts";
import type { ScriptStep, ScriptTurn } from "./script.ts";
import { tourTurn } from "./tour.ts";

export type { ScriptTurn } from "./script.ts";

export interface ScriptedOptions {
  readonly clock?: Clock;
  /** The answer to a request. Default: `tour` is the demo; any other model does what its user's message says. */
  readonly turn?: (request: ModelRequest) => ScriptTurn;
}

const defaultChunk = 24;

/** Models without a model behind them: for tests, and for the demo that needs no key. */
export function createScripted(options: ScriptedOptions = {}): ModelAdapter {
  const clock = options.clock ?? systemClock;
  const turn = options.turn ?? ((request) => (request.model === "tour" ? tourTurn : instructedTurn)(request));
  return { stream: (request, signal) => play({ request, turn: turn(request), clock, signal }) };
}

interface Playing {
  readonly request: ModelRequest;
  readonly turn: ScriptTurn;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function* play({ request, turn, clock, signal }: Playing): AsyncGenerator<readonly ModelPart[]> {
  const writer = new PartWriter();
  let finish: ModelFinish | null = null;
  let calls = 0;
  let tokens: { readonly input: number; readonly output: number } | null = null;
  for (const step of turn) {
    if ("error" in step) return yield [{ type: "error", error: errorOf(step) }];
    if ("finish" in step) finish = step.finish;
    if ("usage" in step) tokens = step.usage;
    if ("tool" in step) calls++;
    for (const { delayMs, write } of actions(step, writer)) {
      if (delayMs > 0) await pause(clock, delayMs, signal);
      if (signal.aborted) return yield [{ type: "error", error: abortedError }];
      write();
      const parts = writer.take();
      if (parts.length > 0) yield parts;
    }
  }
  if (signal.aborted) return yield [{ type: "error", error: abortedError }];
  const { input, output } = tokens ?? { input: tokensOf(request.messages), output: tokensOf(turn) };
  const cache = { cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
  yield [
    { type: "usage", usage: { inputTokens: input, outputTokens: output, ...cache } },
    { type: "finish", finish: finish ?? (calls > 0 ? "tool_calls" : "stop") },
  ];
}

interface Action {
  readonly delayMs: number;
  readonly write: () => void;
}

function actions(step: ScriptStep, writer: PartWriter): readonly Action[] {
  if ("waitMs" in step) return [{ delayMs: step.waitMs, write: () => undefined }];
  if ("text" in step) return piecesOf(step.text, step, (piece) => writer.text(piece));
  if ("thinking" in step) return piecesOf(step.thinking, step, (piece) => void writer.thinking(piece));
  if (!("tool" in step)) return [];
  let block = -1;
  const begin = () => {
    block = writer.toolCall(step.tool);
  };
  const input = step.raw ?? JSON.stringify(step.input ?? {});
  return [{ delayMs: 0, write: begin }, ...piecesOf(input, step, (piece) => writer.toolInput(block, piece))];
}

interface Pace {
  readonly chunk?: number | "word" | undefined;
  readonly delayMs?: number | undefined;
}

function piecesOf(
  text: string,
  { chunk = defaultChunk, delayMs = 0 }: Pace,
  write: (piece: string) => void,
): Action[] {
  const pieces = chunk === "word" ? text.split(/(?<=\s)(?=\S)/) : slices(Array.from(text), chunk);
  return pieces.map((piece) => ({ delayMs, write: () => write(piece) }));
}

function slices(characters: readonly string[], size: number): string[] {
  const count = Math.ceil(characters.length / size);
  return Array.from({ length: count }, (_, i) => characters.slice(i * size, (i + 1) * size).join(""));
}

function errorOf(step: Extract<ScriptStep, { error: unknown }>) {
  const { error, message = `the script says ${error}`, retryAfterMs } = step;
  return modelError(error, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** About what a tokenizer would count, and the same each time. */
function tokensOf(value: unknown): number {
  return Math.ceil(JSON.stringify(value).length / 4);
}
