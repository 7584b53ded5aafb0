import type { AppendLane } from "../store.ts";
import { eventBlock, isTooLarge } from "./event-block.ts";
import type { Writer } from "./writer.ts";

export function appendLane(writer: Writer): AppendLane {
  return {
    async append({ events, ...commit }) {
      if (isTooLarge(events)) return { ok: false, reason: "too_large" };
      return writer.run("append", { ...commit, block: eventBlock(events, commit.expectedSeq + 1) });
    },
  };
}
