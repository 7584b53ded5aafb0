import { z } from "zod";

const days = z.int().min(1).max(36_500);

/** How long an organization keeps things, in days; what is not named is kept for ever. */
export const retention = z.strictObject({
  sessionsDays: days.optional().describe("sessions that nobody has used for so long"),
  usageDays: days.optional().describe("records of single calls; the sums by day stay"),
  auditDays: days.optional().describe("entries of the audit log"),
});
export type Retention = z.infer<typeof retention>;
