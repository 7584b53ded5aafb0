import { agentName, idSchema } from "@berth/contract";
import { z } from "zod";

export const sessionPath = z.strictObject({ sessionId: idSchema("session") });
export const runPath = z.strictObject({ runId: idSchema("run") });
export const approvalPath = z.strictObject({ approvalId: idSchema("approval") });
/** An agent's id or its name. */
export const agentPath = z.strictObject({ agentId: z.union([idSchema("agent"), agentName]) });
/** A request that says all in its path; `{}` is taken too. */
export const emptyBody = z.strictObject({});
