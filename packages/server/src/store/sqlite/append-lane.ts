import type { AppendLane, AppendOutcome } from "../store.ts";
import { eventBlock, isTooLarge } from "./event-block.ts";
import type { Writer } from "./writer.ts";

const tooLarge: AppendOutcome = { ok: false, reason: "too_large" };

export function appendLane(writer: Writer): AppendLane {
  return {
    append(commit) {
      try {
        if (isTooLarge(commit.events)) return Promise.resolve(tooLarge);
        return writer.run("append", { commit, block: eventBlock(commit.events, commit.expectedSeq + 1) });
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },
    reserve: (calls) => writer.run("reserve", calls),
  };
}
