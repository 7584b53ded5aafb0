import { type Permission, requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { HeldSandbox } from "../allocation/sandbox-directory.ts";
import { BerthError } from "../lib/errors.ts";
import type { SessionRecord } from "../store/records.ts";
import { maySee } from "./access.ts";
import type { OperationsContext } from "./context.ts";

interface Wanted {
  readonly context: Pick<OperationsContext, "store" | "sandboxDirectory">;
  readonly principal: Principal;
  readonly id: string;
  readonly permission: Permission;
}

/** Whose sandboxes and allocations a list may show: everybody's when undefined. */
export function heldBy(principal: Principal): string | undefined {
  return principal.permissions.has("session:manage") ? undefined : principal.id;
}

/**
 * A sandbox for who may reach its session. One that holds all sessions of a user (`User-Exclusive`) is that user's alone, whichever of
 * them are shared: in it are the files of all. Rejects with `forbidden` or `sandbox_not_found`.
 */
export async function sandboxFor({ context, principal, id, permission }: Wanted): Promise<HeldSandbox> {
  requirePermission(principal, permission);
  const held = await context.sandboxDirectory.find(principal.orgId, id);
  if (held === null || !(await mayReach(context, principal, held))) throw sandboxNotFound(id);
  return held;
}

async function mayReach(
  { store }: Pick<OperationsContext, "store">,
  principal: Principal,
  held: HeldSandbox,
): Promise<boolean> {
  const whose = heldBy(principal);
  if (whose === undefined || whose === held.userId) return true;
  const [only, another] = held.sessions;
  if (held.strategy === "User-Exclusive" || only === undefined || another !== undefined) return false;
  const session = await store.org(principal.orgId).findSession(only.sessionId);
  return session !== null && maySee(principal, session);
}

/** For what others may not do with a sandbox whose session is shared with them. Throws `forbidden`. */
export function requireOwnSandbox(principal: Principal, held: HeldSandbox, what: string): void {
  const whose = heldBy(principal);
  if (whose === undefined || whose === held.userId) return;
  throw new BerthError(
    "forbidden",
    `only the owner of the sandbox's session, or who has the permission session:manage, may ${what}`,
    { details: { permission: "session:manage" } },
  );
}

/**
 * For what lets an agent work in a session, or gives it a sandbox. In a sandbox that holds all sessions of a user a command of one reaches
 * the files of all: then that user alone may, whichever of them are shared. Rejects with `forbidden`.
 */
export async function requireOwnFiles(
  { store }: Pick<OperationsContext, "store">,
  principal: Principal,
  session: Pick<SessionRecord, "id" | "owner">,
): Promise<void> {
  const whose = heldBy(principal);
  if (whose === undefined || whose === session.owner) return;
  const workspace = await store.org(principal.orgId).sandboxes.workspace(session.id);
  if (workspace?.strategy !== "User-Exclusive") return;
  throw new BerthError(
    "forbidden",
    "this session shares its sandbox with the other sessions of its owner, so others may only read it: its owner, or who has the permission session:manage, may use it",
    { details: { permission: "session:manage" } },
  );
}

export function sandboxNotFound(id: string): BerthError {
  return new BerthError("sandbox_not_found", `There is no sandbox ${id}.`);
}

export function allocationNotFound(id: string): BerthError {
  return new BerthError("allocation_not_found", `There is no sandbox allocation ${id}.`);
}

export function processNotFound(id: string): BerthError {
  return new BerthError("process_not_found", `There is no process ${id} in the sandbox.`);
}

export function previewNotFound(port: string | number): BerthError {
  return new BerthError("preview_not_found", `The port ${port} is not open: POST …/ports opens it.`);
}
