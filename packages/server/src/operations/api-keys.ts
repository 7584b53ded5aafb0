import type { ApiKey, CreateApiKeyBody, CreateApiKeyReply, Page, rotateApiKeyBody } from "@berth/contract";
import type { z } from "zod";
import { makeApiKey } from "../auth/api-key.ts";
import { tellAccessChanged } from "./tell-access-changed.ts";
import { signingSecret } from "../auth/request-signature.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { Secret } from "../lib/secret.ts";
import type { ApiKeyRecord, PageFilter } from "../store/identity.ts";
import { alreadyCreated } from "./already-created.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { requireMayChange } from "./grants.ts";
import { apiKeyView } from "./identity-views.ts";
import { expiryOf, keyOwnerOf, requireMayMake, requireMayRotate, scopesOf } from "./key-grant.ts";
import { pageView, timeText } from "./views.ts";

interface OfKey {
  readonly keyId: string;
  readonly origin: Origin;
}

/**
 * A key of one's own or of a service account. The key is in this reply and nowhere else. Rejects with
 * `unknown_principal`, `unknown_permission`, `forbidden`, or `already_created` when the request is a repetition.
 */
export async function createApiKey(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: CreateApiKeyBody; readonly origin: Origin },
): Promise<CreateApiKeyReply> {
  const wanted = body.owner ?? principal.id;
  if (wanted !== principal.id) requirePermission(principal, "api-key:write");
  const owner = await keyOwnerOf(context, principal, wanted);
  requireMayMake(principal, owner);
  const scopes = scopesOf(principal, owner, body.scopes ?? null);
  const now = context.clock.now();
  const expiresAt = expiryOf(principal, body.expiresInMs === undefined ? null : now + body.expiresInMs);
  const { key, prefix, hash } = makeApiKey(context.keys.pepper);
  const id = newId("apiKey", now);
  const { result, replayed } = await context.store.org(principal.orgId).identity.createApiKey({
    id,
    prefix,
    hash,
    name: body.name,
    principalType: owner.type,
    principalId: owner.id,
    scopes,
    createdBy: principal.id,
    expiresAt,
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
    audit: auditDraft(principal, origin, {
      action: "api_key.created",
      target: { type: "api_key", id },
      details: {
        prefix,
        owner: owner.id,
        scopes: scopes?.join(" ") ?? null,
        expiresAt: expiresAt === null ? null : timeText(expiresAt),
      },
    }),
  });
  if (replayed) throw alreadyCreated("the API key", result.id);
  return shownOnce(context, result, key);
}

/** One's own, or with api-key:read all of the organization or of one owner; newest first. */
export async function listApiKeys(
  context: OperationsContext,
  principal: Principal,
  { owner, ...page }: PageFilter & { readonly owner?: string },
): Promise<Page<ApiKey>> {
  if (owner !== principal.id) requirePermission(principal, "api-key:read");
  const filter = { ...page, ...(owner !== undefined && { principalId: owner }) };
  return pageView(await context.store.org(principal.orgId).identity.listApiKeys(filter), apiKeyView);
}

/** Rejects with `api_key_not_found`, also for another's that one may not see. */
export async function getApiKey(
  context: OperationsContext,
  principal: Principal,
  { keyId }: { readonly keyId: string },
): Promise<ApiKey> {
  return apiKeyView(await keyFor(context, principal, { keyId, may: "api-key:read" }));
}

/**
 * A new key in an old one's place, with its name, owner and scopes; the old one works on for a while. Rejects with
 * `api_key_not_found`, `api_key_replaced`, `forbidden` or `already_created`.
 */
export async function rotateApiKey(
  context: OperationsContext,
  principal: Principal,
  { keyId, body, origin }: OfKey & { readonly body: z.output<typeof rotateApiKeyBody> },
): Promise<CreateApiKeyReply> {
  const old = await keyFor(context, principal, { keyId, may: "api-key:write" });
  const owner = await keyOwnerOf(context, principal, old.principalId);
  requireMayRotate(principal, owner, old);
  const now = context.clock.now();
  const lasts = body.expiresInMs ?? (old.expiresAt === null ? null : old.expiresAt - old.createdAt);
  const { key, prefix, hash } = makeApiKey(context.keys.pepper);
  const id = newId("apiKey", now);
  const { result, replayed } = await context.store.org(principal.orgId).identity.rotateApiKey({
    id: keyId,
    replacement: { id, prefix, hash, createdBy: principal.id },
    overlapUntil: now + body.overlapMs,
    expiresAt: expiryOf(principal, lasts === null ? null : now + lasts),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
    audit: auditDraft(principal, origin, {
      action: "api_key.rotated",
      target: { type: "api_key", id: keyId },
      details: { replacedBy: id, prefix, owner: owner.id, overlapMs: body.overlapMs },
    }),
  });
  if (replayed) throw alreadyCreated("the API key", result.id);
  tellAccessChanged(context, principal.orgId);
  return shownOnce(context, result, key);
}

/** Ends a key; streams that it opened end within seconds. Rejects with `api_key_not_found` or `forbidden`. */
export async function revokeApiKey(
  context: OperationsContext,
  principal: Principal,
  { keyId, origin }: OfKey,
): Promise<ApiKey> {
  const key = await keyFor(context, principal, { keyId, may: "api-key:write" });
  if (key.principalId !== principal.id) await requireMayEnd(context, principal, key);
  const revoked = await context.store.org(principal.orgId).identity.revokeApiKey({
    id: keyId,
    audit: auditDraft(principal, origin, {
      action: "api_key.revoked",
      target: { type: "api_key", id: keyId },
      details: { prefix: key.prefix, owner: key.principalId },
    }),
  });
  if (revoked === null) throw apiKeyNotFound(keyId);
  tellAccessChanged(context, principal.orgId);
  return apiKeyView(revoked);
}

function shownOnce({ keys }: OperationsContext, record: ApiKeyRecord, key: Secret): CreateApiKeyReply {
  const signs = record.principalType === "service";
  const signing = signs ? signingSecret(record.id, keys.pepper).reveal() : null;
  return { ...apiKeyView(record), key: key.reveal(), signingSecret: signing };
}

export function apiKeyNotFound(id: string): BerthError {
  return new BerthError("api_key_not_found", `There is no API key ${id}.`);
}

async function keyFor(
  context: OperationsContext,
  principal: Principal,
  { keyId, may }: { readonly keyId: string; readonly may: "api-key:read" | "api-key:write" },
): Promise<ApiKeyRecord> {
  const key = await context.store.org(principal.orgId).identity.findApiKey(keyId);
  const sees = key?.principalId === principal.id || principal.permissions.has("api-key:read");
  if (key === null || !sees) throw apiKeyNotFound(keyId);
  if (key.principalId !== principal.id) requirePermission(principal, may);
  return key;
}

/** Nobody takes the keys of who may do more. */
async function requireMayEnd(
  context: OperationsContext,
  principal: Principal,
  { principalType: type, principalId: id }: ApiKeyRecord,
): Promise<void> {
  const standing = await context.store.system.identity.findStanding({ orgId: principal.orgId, type, id });
  if (standing === null) return;
  await requireMayChange(context, principal, { role: standing.role, what: "The owner of this key" });
}
