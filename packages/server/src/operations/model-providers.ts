import type { ModelProviderBody, ModelProviderInfo } from "@berth/contract";
import { providerSecretName } from "../auth/provider-secrets.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { type ProvidersHint, providersTopic } from "../coordination/provider-hints.ts";
import { BerthError } from "../lib/errors.ts";
import type { ModelProviderRecord } from "../store/model-providers.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { settleProvider } from "./settle-provider.ts";
import { timeText } from "./views.ts";

const maxProviders = 50;

/** The organization's own providers, without their keys. */
export async function listModelProviders(
  context: OperationsContext,
  principal: Principal,
): Promise<readonly ModelProviderInfo[]> {
  requirePermission(principal, "model:read");
  return (await context.store.org(principal.orgId).modelProviders.list()).map(providerView);
}

/** Makes or replaces a provider. Rejects with `validation_failed`, `address_refused` or `too_many_model_providers`. */
export async function putModelProvider(
  context: OperationsContext,
  principal: Principal,
  {
    name,
    body,
    origin,
  }: { readonly name: string; readonly body: ModelProviderBody; readonly origin: Origin },
): Promise<{ readonly provider: ModelProviderInfo; readonly replayed: boolean }> {
  requirePermission(principal, "model-provider:write");
  const { orgId } = principal;
  const { modelProviders } = context.store.org(orgId);
  const before = await modelProviders.find(name);
  const wanted = { orgId, owner: "", name, body, before, pointer: "" };
  const { provider, put, drop } = await settleProvider(context, wanted);
  const { result, replayed } = await modelProviders.put({
    provider,
    secrets: { put, drop, by: principal.id },
    limit: maxProviders,
    audit: auditDraft(principal, origin, {
      action: "model_provider.saved",
      target: { type: "model_provider", id: name },
      details: { place: provider.baseUrl, hasKey: provider.hasKey, keyChanged: put.length + drop.length > 0 },
    }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  tellProvidersChanged(context, orgId);
  return { provider: providerView(result), replayed };
}

/** Deletes a provider and its key. Rejects with `model_provider_not_found`. */
export async function deleteModelProvider(
  context: OperationsContext,
  principal: Principal,
  { name, origin }: { readonly name: string; readonly origin: Origin },
): Promise<void> {
  requirePermission(principal, "model-provider:write");
  const { orgId } = principal;
  const removed = await context.store.org(orgId).modelProviders.remove({
    name,
    secrets: { put: [], drop: [providerSecretName({ owner: "", name })], by: principal.id },
    audit: auditDraft(principal, origin, {
      action: "model_provider.deleted",
      target: { type: "model_provider", id: name },
    }),
  });
  if (!removed) throw modelProviderNotFound(name);
  tellProvidersChanged(context, orgId);
}

/** Whoever keeps the organization's providers in memory reads them again. */
export function tellProvidersChanged({ bus }: OperationsContext, orgId: string): void {
  const hint: ProvidersHint = { orgId };
  bus.publish(providersTopic, hint);
}

export function modelProviderNotFound(name: string): BerthError {
  return new BerthError("model_provider_not_found", `There is no model provider ${name}.`);
}

function providerView(record: ModelProviderRecord): ModelProviderInfo {
  const { name, kind, baseUrl, hasKey, headers, models, createdAt, updatedAt } = record;
  return {
    name,
    kind,
    baseURL: baseUrl,
    hasKey,
    headers: [...headers],
    models: [...models],
    createdAt: timeText(createdAt),
    updatedAt: timeText(updatedAt),
  };
}
