import { dataEndpoints } from "./data-routes.ts";
import { sandboxEndpoints } from "./sandbox-routes.ts";
import { identityEndpoints } from "./identity-routes.ts";
import type { Endpoint } from "./endpoint.ts";
import { addSharedLinkRoute } from "./routes/add-shared-link.ts";
import { addSpFragmentRoute } from "./routes/add-sp-fragment.ts";
import { allowBudgetRoute } from "./routes/allow-budget.ts";
import { setUpOwnerRoute } from "./routes/set-up-owner.ts";
import { archiveAgentRoute } from "./routes/archive-agent.ts";
import { beginOidcLoginRoute } from "./routes/begin-oidc-login.ts";
import { cancelRunRoute } from "./routes/cancel-run.ts";
import { cancelSessionRoute } from "./routes/cancel-session.ts";
import { cleanUpRuntimeRoute } from "./routes/clean-up-runtime.ts";
import { createAgentRoute } from "./routes/create-agent.ts";
import { createBudgetRoute } from "./routes/create-budget.ts";
import { createSessionRoute } from "./routes/create-session.ts";
import { createShareLinkRoute } from "./routes/create-share-link.ts";
import { createTicketRoute } from "./routes/create-ticket.ts";
import { createUserConfigRoute } from "./routes/create-user-config.ts";
import { decideApprovalRoute } from "./routes/decide-approval.ts";
import { deleteFileRoute } from "./routes/delete-file.ts";
import { deleteModelProviderRoute } from "./routes/delete-model-provider.ts";
import { deleteSandboxSecretRoute } from "./routes/delete-sandbox-secret.ts";
import { deleteSessionRoute } from "./routes/delete-session.ts";
import { deleteUserConfigRoute } from "./routes/delete-user-config.ts";
import { downloadFileRoute } from "./routes/download-file.ts";
import { ensureUserConfigRoute } from "./routes/ensure-user-config.ts";
import { evictSessionRoute } from "./routes/evict-session.ts";
import { exportAuditRoute } from "./routes/export-audit.ts";
import { exportSessionRoute } from "./routes/export-session.ts";
import { finishOidcLoginRoute } from "./routes/finish-oidc-login.ts";
import { followEventsRoute } from "./routes/follow-events.ts";
import { forkSessionRoute } from "./routes/fork-session.ts";
import { getAgentRoute } from "./routes/get-agent.ts";
import { getApprovalRoute } from "./routes/get-approval.ts";
import { getBudgetRoute } from "./routes/get-budget.ts";
import { getHealth } from "./routes/get-health.ts";
import { getLoginRoute } from "./routes/get-login.ts";
import { getMe } from "./routes/get-me.ts";
import { getMetrics } from "./routes/get-metrics.ts";
import { getOpenapi } from "./routes/get-openapi.ts";
import { getReadiness } from "./routes/get-readiness.ts";
import { getRunRoute } from "./routes/get-run.ts";
import { getRuntimeHealth } from "./routes/get-runtime-health.ts";
import { getRuntimeStats } from "./routes/get-runtime-stats.ts";
import { getSessionSummary } from "./routes/get-session-summary.ts";
import { getSessionRoute } from "./routes/get-session.ts";
import { getSystem } from "./routes/get-system.ts";
import { getTodosRoute } from "./routes/get-todos.ts";
import { getUsageRoute } from "./routes/get-usage.ts";
import { getUserConfigRoute } from "./routes/get-user-config.ts";
import { getVaultRoute } from "./routes/get-vault.ts";
import { globFilesRoute } from "./routes/glob-files.ts";
import { archiveFilesRoute } from "./routes/archive-files.ts";
import { extractArchiveRoute } from "./routes/extract-archive.ts";
import { grepFilesRoute } from "./routes/grep-files.ts";
import { listAgentVersionsRoute } from "./routes/list-agent-versions.ts";
import { listAgentsRoute } from "./routes/list-agents.ts";
import { listApprovalsRoute } from "./routes/list-approvals.ts";
import { listAuditRoute } from "./routes/list-audit.ts";
import { listBudgetsRoute } from "./routes/list-budgets.ts";
import { listEventsRoute } from "./routes/list-events.ts";
import { listFilesRoute } from "./routes/list-files.ts";
import { listLiveSessionsRoute } from "./routes/list-live-sessions.ts";
import { listLoginMethodsRoute } from "./routes/list-login-methods.ts";
import { listModelProvidersRoute } from "./routes/list-model-providers.ts";
import { listModelsRoute } from "./routes/list-models.ts";
import { listQuotasRoute } from "./routes/list-quotas.ts";
import { listRunsRoute } from "./routes/list-runs.ts";
import { listSandboxSecretsRoute } from "./routes/list-sandbox-secrets.ts";
import { listSessionRunsRoute } from "./routes/list-session-runs.ts";
import { listSessionsRoute } from "./routes/list-sessions.ts";
import { listShareLinksRoute } from "./routes/list-share-links.ts";
import { listToolsRoute } from "./routes/list-tools.ts";
import { logInRoute } from "./routes/log-in.ts";
import { logOutRoute } from "./routes/log-out.ts";
import { moveFileRoute } from "./routes/move-file.ts";
import { moveLoginRoute } from "./routes/move-login.ts";
import { putAgentRoute } from "./routes/put-agent.ts";
import { putModelProviderRoute } from "./routes/put-model-provider.ts";
import { putSandboxSecretRoute } from "./routes/put-sandbox-secret.ts";
import { putTodosRoute } from "./routes/put-todos.ts";
import { putUserConfigRoute } from "./routes/put-user-config.ts";
import { putUserModelProvidersRoute } from "./routes/put-user-model-providers.ts";
import { releaseSessionRoute } from "./routes/release-session.ts";
import { removeBudgetRoute } from "./routes/remove-budget.ts";
import { removeSharedLinkRoute } from "./routes/remove-shared-link.ts";
import { removeSpFragmentRoute } from "./routes/remove-sp-fragment.ts";
import { retryRunRoute } from "./routes/retry-run.ts";
import { revokeShareLinkRoute } from "./routes/revoke-share-link.ts";
import { rewindSessionRoute } from "./routes/rewind-session.ts";
import { rotateVaultRoute } from "./routes/rotate-vault.ts";
import { sendEventsRoute } from "./routes/send-events.ts";
import { setQuotasRoute } from "./routes/set-quotas.ts";
import { unarchiveAgentRoute } from "./routes/unarchive-agent.ts";
import { updateBudgetRoute } from "./routes/update-budget.ts";
import { updateSessionRoute } from "./routes/update-session.ts";
import { uploadFileRoute } from "./routes/upload-file.ts";
import { verifyAuditRoute } from "./routes/verify-audit.ts";
import { welcome } from "./routes/welcome.ts";

/** The route table: every endpoint, in the order in which the API's description shows them. */
export const endpoints: readonly Endpoint[] = [
  // sessions
  createSessionRoute,
  listSessionsRoute,
  getSessionRoute,
  updateSessionRoute,
  deleteSessionRoute,
  forkSessionRoute,
  rewindSessionRoute,
  cancelSessionRoute,
  releaseSessionRoute,
  exportSessionRoute,
  getSessionSummary,
  getTodosRoute,
  putTodosRoute,
  createShareLinkRoute,
  listShareLinksRoute,
  revokeShareLinkRoute,
  // events
  sendEventsRoute,
  listEventsRoute,
  followEventsRoute,
  createTicketRoute,
  // runs
  listRunsRoute,
  listSessionRunsRoute,
  getRunRoute,
  cancelRunRoute,
  retryRunRoute,
  // approvals
  listApprovalsRoute,
  getApprovalRoute,
  decideApprovalRoute,
  // files
  listFilesRoute,
  downloadFileRoute,
  uploadFileRoute,
  deleteFileRoute,
  moveFileRoute,
  globFilesRoute,
  grepFilesRoute,
  archiveFilesRoute,
  extractArchiveRoute,
  // agents
  createAgentRoute,
  listAgentsRoute,
  getAgentRoute,
  putAgentRoute,
  listAgentVersionsRoute,
  archiveAgentRoute,
  unarchiveAgentRoute,
  // budgets
  createBudgetRoute,
  listBudgetsRoute,
  getBudgetRoute,
  updateBudgetRoute,
  removeBudgetRoute,
  allowBudgetRoute,
  getUsageRoute,
  // catalog
  listToolsRoute,
  listModelsRoute,
  listModelProvidersRoute,
  putModelProviderRoute,
  deleteModelProviderRoute,
  listSandboxSecretsRoute,
  putSandboxSecretRoute,
  deleteSandboxSecretRoute,
  // user config
  getUserConfigRoute,
  ensureUserConfigRoute,
  createUserConfigRoute,
  putUserConfigRoute,
  deleteUserConfigRoute,
  addSharedLinkRoute,
  removeSharedLinkRoute,
  addSpFragmentRoute,
  removeSpFragmentRoute,
  putUserModelProvidersRoute,
  // sandboxes
  ...sandboxEndpoints,
  // runtime
  getRuntimeStats,
  getRuntimeHealth,
  listLiveSessionsRoute,
  evictSessionRoute,
  cleanUpRuntimeRoute,
  // limits
  listQuotasRoute,
  setQuotasRoute,
  // audit
  listAuditRoute,
  exportAuditRoute,
  verifyAuditRoute,
  // login
  logInRoute,
  logOutRoute,
  getLoginRoute,
  moveLoginRoute,
  listLoginMethodsRoute,
  beginOidcLoginRoute,
  finishOidcLoginRoute,
  setUpOwnerRoute,
  // orgs
  ...identityEndpoints,
  // data
  ...dataEndpoints,
  // server
  getSystem,
  getVaultRoute,
  rotateVaultRoute,
  getMe,
  // Loaded by the first who asks: what makes the document is of no use to anybody else.
  getOpenapi(async () => (await import("./openapi-document.ts")).apiDocument(endpoints)),
  getHealth,
  getReadiness,
  getMetrics,
  welcome,
];
