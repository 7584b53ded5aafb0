import { createManualClock } from "../manual-clock.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import type { ModelTimeouts } from "../../../src/models/model-timeouts.ts";
import type { ModelRig, RunningRig } from "../../../src/models/model.conformance.ts";
import { type Dialect, plainRequest } from "./answers.ts";
import { startFaultServer } from "./fault-server.ts";

export const rigTimeouts: ModelTimeouts = { connectMs: 2_000, firstTokenMs: 5_000, idleMs: 1_000 };

/** Plays answers to an adapter over real HTTP, in its provider's format. */
export function httpRig(dialect: Dialect): ModelRig {
  return {
    name: dialect.name,
    async start(): Promise<RunningRig> {
      const server = await startFaultServer();
      const clock: Clock = createManualClock();
      let nowGone: Promise<void> = Promise.resolve();
      return {
        adapter: dialect.adapter({ baseUrl: server.url, apiKey: "test-key", clock, timeouts: rigTimeouts }),
        request: plainRequest,
        play(answer, ending = "whole") {
          server.answer((reply) => {
            nowGone = reply.gone;
            reply.head(200);
            const events = ending === "whole" ? dialect.events(answer) : dialect.openEvents(answer);
            for (const event of events) reply.chunk(event);
            if (ending === "overloaded") reply.chunk(dialect.overloaded);
            if (ending === "cut") setImmediate(() => reply.cut());
            else if (ending !== "silent") reply.end();
          });
        },
        gone: () => nowGone,
        stop: () => server.close(),
      };
    },
  };
}
