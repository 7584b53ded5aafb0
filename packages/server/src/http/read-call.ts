import { createHash } from "node:crypto";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { hashJson } from "../lib/canonical-json.ts";
import { agentNotFound, approvalNotFound, runNotFound, sessionNotFound } from "../operations/access.ts";
import { orgNotFound } from "../auth/org-choice.ts";
import { apiKeyNotFound } from "../operations/api-keys.ts";
import { invitationNotFound } from "../operations/invitations.ts";
import { memberNotFound } from "../operations/members.ts";
import { loginNotFound } from "../operations/own-account.ts";
import { roleNotFound } from "../operations/roles.ts";
import { serviceAccountNotFound } from "../operations/service-accounts.ts";
import { backupNotFound } from "../operations/backups.ts";
import { erasureNotFound } from "../operations/erasures.ts";
import { exportNotFound } from "../operations/exports.ts";
import { shareLinkNotFound } from "../operations/share-session.ts";
import {
  allocationNotFound,
  previewNotFound,
  processNotFound,
  sandboxNotFound,
} from "../operations/sandbox-access.ts";
import { modelProviderNotFound } from "../operations/model-providers.ts";
import { z } from "zod";
import type { HttpContext } from "./context.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import { parseJson, requireUnicode } from "./parse-json.ts";
import { peerOf } from "./peer.ts";
import { readBody } from "./read-body.ts";
import { idempotencyKeyOf, requireBytes, requireJson, traceparentOf } from "./request-headers.ts";
import { requireSignedBody } from "./signed-body.ts";
import { validate } from "./validate.ts";

const nothing = z.strictObject({});

interface Incoming {
  readonly context: HttpContext;
  readonly endpoint: Endpoint;
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly principal: Principal | null;
  readonly requestId: string;
}

/** A request as its endpoint wants it. Throws what is wrong with it; the body is read last, and only as far as its limit. */
export async function readCall(incoming: Incoming): Promise<Call> {
  const { context, endpoint, request, principal, requestId } = incoming;
  const url = new URL(request.url);
  const params = readParams(endpoint, incoming.params);
  requireUnicode(url.search);
  const query = validate(endpoint.query ?? nothing, queryOf(url.searchParams), "query");
  const key = endpoint.method === "get" ? null : idempotencyKeyOf(request.headers);
  const { body, hashOf } = await readContent(context, { endpoint, request, principal });
  const who = principal === null ? "" : `${principal.type}:${principal.id}`;
  const scope = `${who} ${endpoint.method} ${url.pathname}${url.search}`;
  return {
    context,
    operations: context.operations,
    // An open endpoint is nobody's: it must not look at who calls.
    principal: principal as Principal,
    params,
    query,
    body,
    origin: {
      idempotency: key === null ? null : { scope, key, bodyHash: hashOf() },
      traceparent: traceparentOf(request.headers),
      requestId,
      address: peerOf(request).address,
      signal: request.signal,
    },
    request,
    requestId,
  };
}

/** A malformed id is answered like one that is not there. */
function readParams(endpoint: Endpoint, params: Readonly<Record<string, string>>): unknown {
  const parsed = (endpoint.params ?? nothing).safeParse(params);
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0]?.path[0] ?? "");
  throw notFound(name, (params[name] ?? "").slice(0, 64));
}

function notFound(name: string, id: string): Error {
  switch (name) {
    case "agentId":
      return agentNotFound(id);
    case "backupName":
      return backupNotFound(id);
    case "exportId":
      return exportNotFound(id);
    case "erasureId":
      return erasureNotFound(id);
    case "approvalId":
      return approvalNotFound(id);
    case "linkId":
      return shareLinkNotFound(id);
    case "runId":
      return runNotFound(id);
    case "providerName":
      return modelProviderNotFound(id);
    case "orgId":
      return orgNotFound(id);
    case "userId":
      return memberNotFound(id);
    case "invitationId":
      return invitationNotFound(id);
    case "roleName":
      return roleNotFound(id);
    case "serviceAccountId":
      return serviceAccountNotFound(id);
    case "keyId":
      return apiKeyNotFound(id);
    case "loginId":
      return loginNotFound(id);
    case "sandboxId":
      return sandboxNotFound(id);
    case "processId":
      return processNotFound(id);
    case "port":
      return previewNotFound(id);
    case "allocationId":
      return allocationNotFound(id);
    case "path":
      return new BerthError("file_not_found", "There is no such file in the workspace.");
    default:
      return sessionNotFound(id);
  }
}

/** One text for each name; several for a name that came several times, which only a schema that wants it takes. */
function queryOf(search: URLSearchParams): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    query[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  return { ...query };
}

async function readContent(
  { settings }: HttpContext,
  { endpoint, request, principal }: Pick<Incoming, "endpoint" | "request" | "principal">,
): Promise<{ body: unknown; hashOf: () => string }> {
  if (endpoint.upload) {
    requireBytes(request.headers);
    const bytes = await readBody(request, { bytes: settings.uploadBytes, setting: "uploadLimit" });
    requireSignedBody(principal, bytes);
    return { body: bytes, hashOf: () => createHash("sha256").update(bytes).digest("hex") };
  }
  if (endpoint.method === "get" || endpoint.method === "delete") {
    requireSignedBody(principal, new Uint8Array());
    return { body: undefined, hashOf: () => "" };
  }
  const bytes = await readBody(request, { bytes: settings.bodyBytes, setting: "bodyLimit" });
  requireSignedBody(principal, bytes);
  const absent = bytes.byteLength === 0 && (endpoint.bodyOptional === true || endpoint.body === undefined);
  if (!absent) requireJson(request.headers);
  const value = absent ? {} : parseJson(bytes, settings.jsonDepth);
  return { body: validate(endpoint.body ?? nothing, value, "body"), hashOf: () => hashJson(value) };
}
