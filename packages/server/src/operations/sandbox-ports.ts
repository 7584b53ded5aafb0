import type { Preview, SandboxPort } from "@berth/contract";
import type { PreviewGrant } from "../auth/preview-grants.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { previewNotFound, sandboxFor, sandboxNotFound } from "./sandbox-access.ts";
import { timeText } from "./views.ts";

interface OfPort {
  readonly sandboxId: string;
  readonly port: number;
  readonly origin: Origin;
}

/** As far as a preview reaches it. */
export type PreviewedSandbox = Pick<Sandbox, "openPort">;

/** Name of the query's parameter that opens a preview; gone after the first answer. */
export const previewToken = "berth_token";

/**
 * An address at which a port of the sandbox is reached with a browser. Nothing need listen on it yet. Rejects with
 * `sandbox_not_found`, `sandbox_unsupported`, `too_many_previews`, or `preview_not_configured` where previews have no domain.
 */
export async function openPort(
  context: OperationsContext,
  principal: Principal,
  request: OfPort & { readonly ttlMs: number; readonly ownOrigin: string | null },
): Promise<Preview> {
  const { sandboxId, port, ttlMs, ownOrigin, origin } = request;
  const held = await sandboxFor({ context, principal, id: sandboxId, permission: "session:write" });
  const { previewDomain } = context.settings;
  if (previewDomain === null || ownOrigin === null) throw notConfigured();
  if (held.state !== "active") throw sandboxNotFound(sandboxId);
  const { ports } = await context.sandboxes.probe();
  if (!ports)
    throw new BerthError("sandbox_unsupported", "The sandboxes of this server have no ports to open.");
  const { orgId } = principal;
  const target = { orgId, sandboxId, incarnation: held.incarnation, port };
  const { grant, token } = context.previews.open(target, { principal, ttlMs });
  const expiresAt = timeText(grant.expiresAt);
  const told = { action: "sandbox.port_opened", target: { type: "sandbox", id: sandboxId } };
  const details = { port, expiresAt };
  await context.store.org(orgId).audit.append(auditDraft(principal, origin, { ...told, details }));
  const url = new URL(ownOrigin);
  url.hostname = `${grant.label}.${previewDomain}`;
  url.searchParams.set(previewToken, token);
  return { port, url: url.href, expiresAt };
}

/** Ports on which something listens, and those that are open. */
export async function listPorts(
  context: OperationsContext,
  principal: Principal,
  { sandboxId }: { readonly sandboxId: string },
): Promise<{ readonly items: readonly SandboxPort[] }> {
  const held = await sandboxFor({ context, principal, id: sandboxId, permission: "session:read" });
  const { orgId } = principal;
  const sandbox = await context.sandboxDirectory.connect(orgId, sandboxId);
  const listening = new Set(await sandbox.listening());
  const open = new Map<number, PreviewGrant>();
  for (const grant of context.previews.list(orgId, sandboxId)) {
    const until = open.get(grant.port)?.expiresAt ?? 0;
    if (grant.incarnation === held.incarnation && grant.expiresAt > until) open.set(grant.port, grant);
  }
  const ports = [...new Set([...listening, ...open.keys()])].toSorted((a, b) => a - b);
  return { items: ports.map((port) => portView(port, listening.has(port), open.get(port))) };
}

/** Makes every address of the port worthless. Rejects with `sandbox_not_found` or `preview_not_found`. */
export async function closePort(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, port, origin }: OfPort,
): Promise<void> {
  await sandboxFor({ context, principal, id: sandboxId, permission: "session:write" });
  const { orgId } = principal;
  if (!context.previews.close({ orgId, sandboxId, port })) throw previewNotFound(port);
  const told = { action: "sandbox.port_closed", target: { type: "sandbox", id: sandboxId } };
  await context.store.org(orgId).audit.append(auditDraft(principal, origin, { ...told, details: { port } }));
}

/** The sandbox behind a preview, for who its opener is now. Null when that one may not use it any more, or its life is over. */
export async function previewedSandbox(
  context: OperationsContext,
  now: Principal,
  grant: PreviewGrant,
): Promise<PreviewedSandbox | null> {
  const { orgId, sandboxId, incarnation } = grant;
  if (now.orgId !== orgId || !now.permissions.has("session:write")) return null;
  try {
    const held = await sandboxFor({ context, principal: now, id: sandboxId, permission: "session:write" });
    if (held.incarnation !== incarnation || held.state !== "active") return null;
    return await context.sandboxDirectory.connect(orgId, sandboxId);
  } catch (error) {
    if (error instanceof BerthError && gone.has(error.code)) return null;
    throw error;
  }
}

const gone: ReadonlySet<string> = new Set(["forbidden", "sandbox_not_found", "sandbox_lost"]);

function portView(port: number, listening: boolean, grant: PreviewGrant | undefined): SandboxPort {
  if (grant === undefined) return { port, listening, open: null };
  return {
    port,
    listening,
    open: { openedBy: grant.principal.id, expiresAt: timeText(grant.expiresAt) },
  };
}

function notConfigured(): BerthError {
  return new BerthError(
    "preview_not_configured",
    "Previews need a domain of their own: set previewDomain to one whose every subdomain leads to this server, for example previews.example.net.",
  );
}
