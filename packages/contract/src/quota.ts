import { z } from "zod";

/** What an organization may be limited in. */
export const quotaNames = [
  "sessions",
  "runningSessions",
  "storedBytes",
  "agents",
  "apiKeys",
  "members",
] as const;
export const quotaName = z.enum(quotaNames);
export type QuotaName = z.output<typeof quotaName>;

const amount = z
  .int()
  .nonnegative()
  .max(2 ** 50);

export const quota = z.strictObject({
  name: quotaName,
  limit: amount.nullable().describe("null: not limited"),
  used: z.int().nonnegative(),
  source: z.enum(["org", "default"]).describe("set for this organization, or the server's default"),
});
export type Quota = z.output<typeof quota>;

export const quotas = z.strictObject({ items: z.array(quota) });

/** All of an organization's own quotas: what is not named has the server's default again. */
export const setQuotasBody = z.strictObject({
  quotas: z
    .partialRecord(quotaName, amount.nullable())
    .describe("null: not limited, whatever the default is"),
});
export type SetQuotasBody = z.output<typeof setQuotasBody>;
