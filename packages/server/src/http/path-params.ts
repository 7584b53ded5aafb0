import {
  agentName,
  backupName,
  idSchema,
  orgSlug,
  port,
  processId,
  providerName,
  roleName,
  sandboxSecretName,
} from "@berth/contract";
import { z } from "zod";
import { filePath } from "./file-path.ts";

export const sessionPath = z.strictObject({ sessionId: idSchema("session") });
export const shareLinkPath = z.strictObject({
  sessionId: idSchema("session"),
  linkId: idSchema("shareLink"),
});
export const sandboxPath = z.strictObject({ sandboxId: idSchema("sandbox") });
export const processPath = z.strictObject({ sandboxId: idSchema("sandbox"), processId });
export const portPath = z.strictObject({
  sandboxId: idSchema("sandbox"),
  port: z.coerce.number().pipe(port),
});
export const allocationPath = z.strictObject({ allocationId: idSchema("allocation") });
export const runPath = z.strictObject({ runId: idSchema("run") });
export const budgetPath = z.strictObject({ budgetId: idSchema("budget") });
export const approvalPath = z.strictObject({ approvalId: idSchema("approval") });
export const backupPath = z.strictObject({ backupName });
export const exportPath = z.strictObject({ exportId: idSchema("export") });
export const erasurePath = z.strictObject({ erasureId: idSchema("receipt") });
/** A file of the workspace: its path is the rest of the URL's, slashes and all. */
export const fileParams = z.strictObject({ sessionId: idSchema("session"), path: filePath.min(1) });
/** An agent's id or its name. */
export const agentPath = z.strictObject({ agentId: z.union([idSchema("agent"), agentName]) });
/** An organization's id or slug. */
export const orgPath = z.strictObject({ orgId: z.union([idSchema("org"), orgSlug]) });
export const memberPath = z.strictObject({ userId: idSchema("user") });
export const invitationPath = z.strictObject({ invitationId: idSchema("invitation") });
export const rolePath = z.strictObject({ roleName });
export const serviceAccountPath = z.strictObject({ serviceAccountId: idSchema("serviceAccount") });
export const apiKeyPath = z.strictObject({ keyId: idSchema("apiKey") });
export const loginPath = z.strictObject({ loginId: idSchema("login") });
export const modelProviderPath = z.strictObject({ providerName });
export const sandboxSecretPath = z.strictObject({ secretName: sandboxSecretName });
/** A request that says all in its path; `{}` is taken too. */
export const emptyBody = z.strictObject({});
