import type { ArgsOf, OperationCall, OperationName, ResultOf } from "../protocol.ts";
import type { AuditDraft } from "../../audit.ts";
import type { Transaction } from "../transaction.ts";
import { accept } from "./accept.ts";
import { createShareLink, noteShareLinkUses, revokeShareLink } from "./access/share-links.ts";
import { archiveAgent, createAgent, putAgent } from "./agents.ts";
import { insertAudit } from "./audit.ts";
import { cutAudit, erasePerson } from "./audit/remove.ts";
import { sealAudit } from "./audit/seal.ts";
import { append } from "./append.ts";
import { allowBudget, createBudget, removeBudget, updateBudget } from "./budgets/change-budgets.ts";
import { reserve } from "./budgets/within-budgets.ts";
import { collectBlobs, noteBlob } from "./blobs.ts";
import { claim, liftQuarantine, quarantine, release } from "./claim.ts";
import { createSession } from "./create-session.ts";
import { dataHandlers } from "./data/handlers.ts";
import { deleteSession } from "./delete-session.ts";
import { dropDeadLogs } from "./dead-logs.ts";
import { identityHandlers } from "./identity/handlers.ts";
import { sandboxHandlers } from "./sandboxes/handlers.ts";
import { setQuotaDefaults, setQuotas } from "./limits/quotas.ts";
import { prune } from "./prune.ts";
import { putSnapshot } from "./snapshots.ts";
import { singleTenant } from "./tenants.ts";
import { fireTimers } from "./timers.ts";
import { addDataKey, dropDataKeys, resealSecrets, rewrapDataKeys } from "./vault/data-keys.ts";
import { putModelProvider, removeModelProvider } from "./vault/model-providers.ts";
import { putSandboxSecret, removeSandboxSecret } from "./vault/sandbox-secrets.ts";
import { putUserConfig, removeUserConfig } from "./vault/user-configs.ts";
import { heartbeat, removeWorker } from "./workers.ts";

type Handlers = { readonly [K in OperationName]: (tx: Transaction, args: ArgsOf<K>) => ResultOf<K> };

const handlers: Handlers = {
  append,
  accept,
  createSession,
  deleteSession,
  dropDeadLogs,
  putSnapshot,
  claim,
  release,
  quarantine,
  liftQuarantine,
  heartbeat,
  removeWorker,
  fireTimers,
  createAgent,
  putAgent,
  archiveAgent,
  noteBlob,
  collectBlobs,
  prune,
  singleTenant,
  createShareLink,
  revokeShareLink,
  noteShareLinkUses,
  appendAudit: () => undefined,
  sealAudit,
  cutAudit,
  eraseAuditPerson: erasePerson,
  setQuotas,
  setQuotaDefaults,
  addDataKey,
  resealSecrets,
  dropDataKeys,
  rewrapDataKeys,
  putSandboxSecret,
  removeSandboxSecret,
  putModelProvider,
  removeModelProvider,
  putUserConfig,
  removeUserConfig,
  ...identityHandlers,
  ...dataHandlers,
  ...sandboxHandlers,
  createBudget,
  updateBudget,
  removeBudget,
  allowBudget,
  reserve,
  ping: () => undefined,
};

interface Audited {
  readonly orgId: string;
  readonly audit: AuditDraft;
}

/**
 * Runs one operation inside the open transaction; throws BerthError when it is refused. An operation whose arguments bring an audit
 * entry commits it with its change, unless the change was made before or there was nothing to change.
 */
export function runOperation<K extends OperationName>(
  tx: Transaction,
  call: OperationCall & { name: K },
): unknown {
  const handler = handlers[call.name] as (tx: Transaction, args: unknown) => unknown;
  const result = handler(tx, call.args);
  if (isAudited(call.args) && changed(result)) insertAudit(tx, call.args.orgId, call.args.audit);
  return result;
}

function isAudited(args: unknown): args is Audited {
  return typeof args === "object" && args !== null && "audit" in args && args.audit !== undefined;
}

function changed(result: unknown): boolean {
  if (result === false || result === null) return false;
  return !(typeof result === "object" && "replayed" in result && result.replayed === true);
}
