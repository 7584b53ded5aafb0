import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { TokenClaims } from "../protocol/token.ts";
import type { SandboxProvider } from "../sandbox.ts";
import type { EgressJournal } from "./egress-journal.ts";
import type { Executions } from "./executions.ts";
import type { WorkspaceOwners } from "./workspace-owners.ts";

/** What the handlers of a host share. */
export interface HostContext {
  readonly provider: SandboxProvider;
  /** The provider's own name of the one host that it has. */
  readonly place: () => Promise<string>;
  readonly name: string;
  readonly version: string;
  readonly clock: Clock;
  readonly owners: WorkspaceOwners;
  readonly executions: Executions;
  readonly egress: EgressJournal;
  /** Deployments of sandboxes that were asked for lately, by id. */
  readonly deployments: Map<string, string>;
  readonly draining: () => boolean;
  readonly drain: () => void;
}

/** One call that may be answered: its token was good, allows it, and is for what it is about. */
export interface HostCall<A> {
  readonly args: A;
  readonly tail: Buffer;
  readonly claims: TokenClaims;
  /** Of the sandbox or workspace; empty for calls on the host. */
  readonly id: string;
  /** Aborts when whoever called is gone. */
  readonly signal: AbortSignal;
}

/** How the provider behind this host names it. */
export async function refOf(
  { place }: HostContext,
  id: string,
): Promise<{ readonly id: string; readonly host: string }> {
  return { id, host: await place() };
}

const mostDeployments = 10_000;

/** Throws `sandbox_not_found` for a sandbox of another deployment, as for one that there is not. */
export async function checkSandbox(context: HostContext, claims: TokenClaims, id: string): Promise<void> {
  const { deployments, provider, egress } = context;
  let deployment = deployments.get(id);
  if (deployment === undefined) {
    const info = await provider.get(await refOf(context, id));
    if (info === null) return;
    deployment = info.deployment;
    const [oldest] = deployments.keys();
    if (deployments.size >= mostDeployments && oldest !== undefined) deployments.delete(oldest);
    deployments.set(id, deployment);
  }
  if (deployment !== claims.sub) throw sandboxNotFound();
  egress.owned(id, deployment);
}

/** Throws `workspace_not_found` for a workspace of another deployment, as for one that there is not. */
export function checkWorkspace({ owners }: HostContext, claims: TokenClaims, id: string): void {
  if (owners.ownerOf(id) !== claims.sub) throw workspaceNotFound();
}

export function sandboxNotFound(): BerthError {
  return new BerthError("sandbox_not_found", "There is no such sandbox (any more).");
}

export function workspaceNotFound(): BerthError {
  return new BerthError("workspace_not_found", "There is no such workspace.");
}
