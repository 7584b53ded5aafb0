import { agentName, backupName, idSchema, providerName } from "@berth/contract";
import { z } from "zod";
import { filePath } from "./file-path.ts";

export const sessionPath = z.strictObject({ sessionId: idSchema("session") });
export const shareLinkPath = z.strictObject({
  sessionId: idSchema("session"),
  linkId: idSchema("shareLink"),
});
export const runPath = z.strictObject({ runId: idSchema("run") });
export const approvalPath = z.strictObject({ approvalId: idSchema("approval") });
export const backupPath = z.strictObject({ backupName });
export const exportPath = z.strictObject({ exportId: idSchema("export") });
export const erasurePath = z.strictObject({ erasureId: idSchema("receipt") });
/** A file of the workspace: its path is the rest of the URL's, slashes and all. */
export const fileParams = z.strictObject({ sessionId: idSchema("session"), path: filePath.min(1) });
/** An agent's id or its name. */
export const agentPath = z.strictObject({ agentId: z.union([idSchema("agent"), agentName]) });
export const modelProviderPath = z.strictObject({ providerName });
/** A request that says all in its path; `{}` is taken too. */
export const emptyBody = z.strictObject({});
