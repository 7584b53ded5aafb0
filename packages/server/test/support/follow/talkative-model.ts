import { setTimeout as sleep } from "node:timers/promises";
import type { ModelPart } from "../../../src/models/model.ts";
import type { Answer } from "../runtime/scripted-client.ts";

const usage = {
  inputTokens: 1,
  outputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

/** Says so many pieces of text, one every other millisecond: there is time to be cut in the middle of them. */
export function talkativeModel(pieces: number): Answer {
  return async function* (_call, signal) {
    for (let i = 0; i < pieces && !signal.aborted; i++) {
      yield [{ type: "text", block: 0, text: `piece ${i} – ` }] satisfies ModelPart[];
      await sleep(2);
    }
    yield [
      { type: "usage", usage },
      { type: "finish", finish: "stop" },
    ] satisfies ModelPart[];
  };
}
