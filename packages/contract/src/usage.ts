import { z } from "zod";
import { usage } from "./event-data.ts";

export const usageGroup = z.enum(["day", "user", "agent", "model", "tool", "session", "run"]);
export type UsageGroup = z.infer<typeof usageGroup>;

/** Sums of the ledger over one group of its rows. */
export const usageSum = z.strictObject({
  key: z.string().describe("the day (2026-11-21), or the id or name that the group has in common"),
  name: z.string().nullable().describe("of the agent, when it is known"),
  modelCalls: z.int(),
  toolCalls: z.int(),
  failedCalls: z.int(),
  estimatedCalls: z.int().describe("calls whose usage is a guess, because the provider did not say"),
  unpricedCalls: z.int().describe("model calls without a price, whose cost is not in the sum"),
  usage,
  cost: z.number().describe("US dollars"),
  durationMs: z.number(),
});
export type UsageSum = z.infer<typeof usageSum>;
