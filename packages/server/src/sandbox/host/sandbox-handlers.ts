import { BerthError } from "../../lib/errors.ts";
import { lifeCalls } from "../protocol/host-calls.ts";
import { isolates } from "../protocol/isolates.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import type { Sandbox } from "../sandbox.ts";
import { checkWorkspace, type HostCall, type HostContext, refOf, sandboxNotFound } from "./context.ts";
import { type Handler, handler } from "./handlers.ts";
import { toldInfo } from "./told-info.ts";

/** Answers about the life of a sandbox. */
export const lifeHandlers: readonly Handler[] = [
  handler(lifeCalls.create, async (context, { claims, id, args, signal }) => {
    if (args.deployment !== claims.sub) throw sandboxNotFound();
    if (args.workspaceId !== undefined) checkWorkspace(context, claims, args.workspaceId);
    if (context.draining()) {
      throw new BerthError(
        "sandbox_capacity",
        "This sandbox host is being emptied and takes no new sandboxes.",
        {
          retryable: true,
        },
      );
    }
    const { incarnation, deployment, ttlMs, isolated, ...spec } = args;
    if (isolated && !isolates(await context.provider.probe())) {
      throw new BerthError("sandbox_unavailable", "This sandbox host does not isolate, and that is needed.");
    }
    const options = { incarnation, deployment, ttlMs, signal };
    const info = await context.provider.create(await refOf(context, id), spec, options);
    context.egress.owned(id, info.deployment);
    return toldInfo(info);
  }),
  handler(lifeCalls.get, async (context, { id }) => {
    const info = await context.provider.get(await refOf(context, id));
    return info === null ? null : toldInfo(info);
  }),
  handler(lifeCalls.renew, async (context, { id, args }) =>
    toldInfo(await context.provider.renew(await refOf(context, id), args)),
  ),
  handler(lifeCalls.apply, async (context, { id, args }) =>
    toldInfo(await context.provider.apply(await refOf(context, id), args)),
  ),
  handler(lifeCalls.attach, async (context, { claims, id, args }) => {
    checkWorkspace(context, claims, args.workspaceId);
    return toldInfo(await context.provider.attach(await refOf(context, id), args));
  }),
  handler(lifeCalls.destroy, async (context, { id, args }) => {
    const answer = await context.provider.destroy(await refOf(context, id), args);
    context.deployments.delete(id);
    return answer;
  }),
];

/** Rejects with `sandbox_not_found`. */
export async function connectTo(
  context: HostContext,
  call: HostCall<{ readonly folder?: string }>,
): Promise<Sandbox> {
  const { folder } = call.args;
  return await context.provider.connect(
    await refOf(context, call.id),
    folder === undefined ? {} : { folder },
  );
}

/** Answers of a sandbox, files apart. */
export const sandboxHandlers: readonly Handler[] = [
  handler(sandboxCalls.connect, async (context, call) => {
    await connectTo(context, call);
    return null;
  }),
  handler(sandboxCalls.cancel, async ({ executions }, { id, args }) => {
    executions.cancel(`${id} ${args.execId}`);
    return null;
  }),
  handler(sandboxCalls.spawn, async (context, call) => {
    const { folder: _, ...spec } = call.args;
    return await (await connectTo(context, call)).spawn(spec);
  }),
  handler(sandboxCalls.processes, async (context, call) => [
    ...(await (await connectTo(context, call)).processes()),
  ]),
  handler(sandboxCalls.logs, async (context, call) =>
    (await connectTo(context, call)).logs(call.args.process, call.args.offset),
  ),
  handler(sandboxCalls.input, async (context, call) => {
    const sandbox = await connectTo(context, call);
    const { process, close } = call.args;
    if (call.tail.length > 0) await sandbox.write(process, call.tail);
    if (close) await sandbox.write(process, null);
    return null;
  }),
  handler(sandboxCalls.resize, async (context, call) => {
    await (await connectTo(context, call)).resize(call.args.process, call.args.size);
    return null;
  }),
  handler(sandboxCalls.kill, async (context, call) =>
    (await connectTo(context, call)).kill(call.args.process),
  ),
  handler(sandboxCalls.listening, async (context, call) => [
    ...(await (await connectTo(context, call)).listening()),
  ]),
  handler(sandboxCalls.metrics, async (context, call) => (await connectTo(context, call)).metrics()),
  handler(sandboxCalls.health, async (context, call) => (await connectTo(context, call)).health()),
];
