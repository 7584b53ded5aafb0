import type { Usage } from "@berth/contract";
import { boundedLabel } from "../metrics/bounded-label.ts";
import type { EventScope, Sinks } from "./scope.ts";

export interface StepFinished extends EventScope {
  /** `provider/model`. */
  readonly model: string;
  readonly usage: Usage;
  /** US dollars, null when the model has no price. */
  readonly cost: number | null;
}

export interface ModelCalled extends EventScope {
  /** `provider/model`. */
  readonly model: string;
  /** `ok`, or the code of the error that ended the call. */
  readonly outcome: string;
  /** Null when no token came. */
  readonly ttftMs: number | null;
  readonly durationMs: number;
}

export interface ModelRetried extends EventScope {
  readonly model: string;
  readonly code: string;
  readonly attempt: number;
  readonly delayMs: number;
}

export interface ModelFellBack extends EventScope {
  readonly from: string;
  readonly to: string;
  readonly code: string;
}

/** What happens with models. */
export function modelEvents({ logger, metrics }: Sinks) {
  const providerName = boundedLabel(50);
  const code = boundedLabel(50);
  const provider = (model: string) => providerName(model.split("/", 1)[0] ?? model);

  return {
    stepFinished(event: StepFinished): void {
      metrics.steps.inc();
      const { usage } = event;
      metrics.tokens.inc({ kind: "input" }, usage.inputTokens);
      metrics.tokens.inc({ kind: "output" }, usage.outputTokens);
      metrics.tokens.inc({ kind: "cache_read" }, usage.cacheReadTokens);
      metrics.tokens.inc({ kind: "cache_write" }, usage.cacheWriteTokens);
      metrics.tokens.inc({ kind: "reasoning" }, usage.reasoningTokens);
      if (event.cost !== null) metrics.modelCost.inc({ provider: provider(event.model) }, event.cost);
      logger.debug({ ...event }, "step finished");
    },

    modelCalled(event: ModelCalled): void {
      const labels = { provider: provider(event.model) };
      metrics.modelCalls.inc({ ...labels, outcome: code(event.outcome) });
      metrics.modelSeconds.observe(labels, event.durationMs / 1_000);
      if (event.ttftMs !== null) metrics.modelFirstTokenSeconds.observe(labels, event.ttftMs / 1_000);
      const expected = event.outcome === "ok" || event.outcome === "aborted";
      logger[expected ? "debug" : "warn"]({ ...event }, "model called");
    },

    modelRetried(event: ModelRetried): void {
      metrics.modelRetries.inc({ provider: provider(event.model), code: code(event.code) });
      logger.info({ ...event }, "model call is tried again");
    },

    modelFellBack(event: ModelFellBack): void {
      metrics.modelFallbacks.inc({ provider: provider(event.from) });
      logger.warn({ ...event }, "model call goes on with the next model");
    },
  };
}
