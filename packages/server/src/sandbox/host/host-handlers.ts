import { BerthError } from "../../lib/errors.ts";
import { hostCalls, workspaceCalls } from "../protocol/host-calls.ts";
import type { Heartbeat } from "../protocol/shapes.ts";
import { checkWorkspace, type HostCall, type HostContext, refOf, workspaceNotFound } from "./context.ts";
import { type Handler, handler } from "./handlers.ts";
import { toldInfo } from "./told-info.ts";

/** Answers about the host itself, and about workspaces. */
export const hostHandlers: readonly Handler[] = [
  handler(hostCalls.heartbeat, heartbeat),
  handler(hostCalls.probe, ({ provider }) => provider.probe()),
  handler(hostCalls.list, async ({ provider, place }, call) => {
    const { items, unreadable } = await provider.list(await place(), ownDeployment(call));
    return { items: items.map(toldInfo), unreadable };
  }),
  handler(hostCalls.workspaces, async ({ provider, place, owners }, call) => {
    const deployment = ownDeployment(call);
    const all = await provider.workspaces.list(await place());
    return all.filter((id) => owners.ownerOf(id) === deployment);
  }),
  handler(hostCalls.sweep, async ({ provider, place }, call) =>
    provider.sweep(await place(), ownDeployment(call)),
  ),
  handler(hostCalls.egress, async ({ egress }, call) => egress.read(ownDeployment(call), call.args)),
  handler(hostCalls.drain, async (context) => {
    context.drain();
    return { draining: true as const, live: (await heartbeat(context)).live };
  }),
];

export const workspaceHandlers: readonly Handler[] = [
  handler(workspaceCalls.make, async (context, call) => {
    const { provider, owners } = context;
    const { diskBytes, inodes } = call.args;
    const deployment = ownDeployment(call);
    const owner = owners.ownerOf(call.id);
    if (owner !== null && owner !== deployment) throw workspaceNotFound();
    // The owner first: a workspace that nobody owns would never be found again.
    if (owner === null) await owners.set(call.id, deployment);
    await provider.workspaces.create(await refOf(context, call.id), { diskBytes, inodes });
    return null;
  }),
  handler(workspaceCalls.open, async (context, { claims, id, args }) => {
    checkWorkspace(context, claims, id);
    return (await context.provider.workspaces.open(await refOf(context, id), args)) !== null;
  }),
  handler(workspaceCalls.usage, async (context, { claims, id }) => {
    checkWorkspace(context, claims, id);
    const usage = await context.provider.workspaces.usage(await refOf(context, id));
    return usage === null ? null : { bytes: usage.bytes, files: usage.files };
  }),
  handler(workspaceCalls.delete, async (context, { claims, id, args }) => {
    checkWorkspace(context, claims, id);
    const removed = await context.provider.workspaces.remove(await refOf(context, id), args);
    if (args.folder === undefined) await context.owners.forget(id);
    return removed;
  }),
];

async function heartbeat({ provider, name, version, draining }: HostContext): Promise<Heartbeat> {
  const [host] = await provider.hosts();
  if (host === undefined)
    throw new BerthError("sandbox_unavailable", "This host has no place for sandboxes.");
  const { healthy, live, freeMemoryBytes, freeSlots, problem } = host;
  return {
    name,
    version,
    healthy,
    draining: draining() || host.draining,
    live,
    freeMemoryBytes: Math.max(0, freeMemoryBytes),
    freeSlots: Math.max(0, freeSlots),
    ...(problem !== undefined && { problem: problem.slice(0, 2_000) }),
  };
}

/** The deployment that is asked about; a token of another one is not enough. */
function ownDeployment({ args, claims }: HostCall<{ readonly deployment: string }>): string {
  if (args.deployment === claims.sub) return args.deployment;
  throw new BerthError("sandbox_unsupported", "The token is for another deployment than the call.");
}
