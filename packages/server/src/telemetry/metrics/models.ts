import { Counter, Histogram, type Registry } from "prom-client";

/** Calls of models. */
export function modelMetrics(registry: Registry) {
  const registers = [registry];
  return {
    modelCalls: new Counter({
      name: "berth_model_calls_total",
      help: "Model calls, by provider and outcome: ok or the code of the error.",
      labelNames: ["provider", "outcome"],
      registers,
    }),
    modelSeconds: new Histogram({
      name: "berth_model_call_seconds",
      help: "Time of a whole model call.",
      labelNames: ["provider"],
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160],
      registers,
    }),
    modelFirstTokenSeconds: new Histogram({
      name: "berth_model_first_token_seconds",
      help: "Time from a model call's start to its first token.",
      labelNames: ["provider"],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32],
      registers,
    }),
    modelRetries: new Counter({
      name: "berth_model_retries_total",
      help: "Model calls that were tried again, by provider and code of the error.",
      labelNames: ["provider", "code"],
      registers,
    }),
    modelFallbacks: new Counter({
      name: "berth_model_fallbacks_total",
      help: "Model calls that went on to the next model of the agent's list, by the provider that failed.",
      labelNames: ["provider"],
      registers,
    }),
    modelCost: new Counter({
      name: "berth_model_cost_dollars_total",
      help: "US dollars of model calls whose price is known, by provider.",
      labelNames: ["provider"],
      registers,
    }),
    tokens: new Counter({
      name: "berth_tokens_total",
      help: "Tokens that models counted, by kind.",
      labelNames: ["kind"],
      registers,
    }),
  };
}
