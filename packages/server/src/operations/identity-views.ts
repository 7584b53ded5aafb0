import type { ApiKey, Invitation, Member, Org, Role, ServiceAccount } from "@berth/contract";
import { orgSettings } from "@berth/contract";
import type {
  ApiKeyRecord,
  InvitationRecord,
  MemberRecord,
  OrgRecord,
  RoleRecord,
  ServiceAccountRecord,
} from "../store/identity.ts";
import { timeOrNull, timeText } from "./views.ts";

export function orgView({ id, slug, name, status, settings, createdAt, updatedAt }: OrgRecord): Org {
  const times = { createdAt: timeText(createdAt), updatedAt: timeText(updatedAt) };
  return { id, slug, name, status, settings: orgSettings.parse(settings), ...times };
}

export function memberView({ userId, name, email, role, status, ...record }: MemberRecord): Member {
  return {
    id: userId,
    name,
    email,
    role,
    status,
    createdAt: timeText(record.createdAt),
    updatedAt: timeText(record.updatedAt),
    lastLoginAt: timeOrNull(record.lastLoginAt),
  };
}

export function invitationView(record: InvitationRecord): Invitation {
  const { id, kind, email, name, role, invitedBy } = record;
  return {
    id,
    kind,
    email,
    name,
    role,
    invitedBy,
    createdAt: timeText(record.createdAt),
    expiresAt: timeText(record.expiresAt),
    acceptedAt: timeOrNull(record.acceptedAt),
    revokedAt: timeOrNull(record.revokedAt),
  };
}

export function roleView({ name, description, permissions, createdAt, updatedAt }: RoleRecord): Role {
  const times = { createdAt: timeText(createdAt), updatedAt: timeText(updatedAt) };
  return { name, builtin: false, description, permissions: [...permissions], ...times };
}

export function serviceAccountView(record: ServiceAccountRecord): ServiceAccount {
  const { id, name, role, status, certificates, createdBy, createdAt, updatedAt } = record;
  const times = { createdAt: timeText(createdAt), updatedAt: timeText(updatedAt) };
  return { id, name, role, status, certificates: [...certificates], createdBy, ...times };
}

export function apiKeyView(record: ApiKeyRecord): ApiKey {
  const { id, prefix, name, principalId, scopes, createdBy, replacedBy } = record;
  return {
    id,
    prefix,
    name,
    owner: principalId,
    scopes: scopes === null ? null : [...scopes],
    createdBy,
    createdAt: timeText(record.createdAt),
    expiresAt: timeOrNull(record.expiresAt),
    lastUsedAt: timeOrNull(record.lastUsedAt),
    revokedAt: timeOrNull(record.revokedAt),
    replacedBy,
  };
}
