import { sandboxFileCalls, workspaceFileCalls } from "../protocol/file-calls.ts";
import type { SandboxFiles } from "../sandbox.ts";
import { checkWorkspace, type HostCall, type HostContext, refOf, workspaceNotFound } from "./context.ts";
import { type Handler, handler } from "./handlers.ts";
import { connectTo } from "./sandbox-handlers.ts";

type InFolder = HostCall<{ readonly folder?: string }>;
type FilesOf = (context: HostContext, call: InFolder) => Promise<SandboxFiles>;

export const filesOfSandbox: FilesOf = async (context, call) => (await connectTo(context, call)).files;

export const filesOfWorkspace: FilesOf = async (context, { claims, id, args: { folder } }) => {
  checkWorkspace(context, claims, id);
  const ref = await refOf(context, id);
  const files = await context.provider.workspaces.open(ref, folder === undefined ? {} : { folder });
  if (files === null) throw workspaceNotFound();
  return files;
};

const handlersOf = (calls: typeof sandboxFileCalls, filesOf: FilesOf): readonly Handler[] => [
  handler(calls.stat, async (context, call) => (await filesOf(context, call)).stat(call.args.path)),
  handler(calls.files, async (context, call) => {
    const { path, folder: _, ...options } = call.args;
    const { items, truncated } = await (await filesOf(context, call)).list(path, options);
    return { items: [...items], truncated };
  }),
  handler(calls.tree, async (context, call) => {
    const { path, folder: _, ...options } = call.args;
    const { items, truncated } = await (await filesOf(context, call)).tree(path, options);
    return { items: [...items], truncated };
  }),
  handler(calls.mkdir, async (context, call) => {
    await (await filesOf(context, call)).makeFolder(call.args.path);
    return null;
  }),
  handler(calls.link, async (context, call) => {
    await (await filesOf(context, call)).makeLink(call.args.path, call.args.target);
    return null;
  }),
  handler(calls.executable, async (context, call) => {
    await (await filesOf(context, call)).setExecutable(call.args.path, call.args.executable);
    return null;
  }),
  handler(calls.write, async (context, call) => {
    await (await filesOf(context, call)).write(call.args.path, call.tail);
    return null;
  }),
  handler(calls.move, async (context, call) => {
    await (await filesOf(context, call)).move(call.args.path, call.args.to);
    return null;
  }),
  handler(calls.remove, async (context, call) => (await filesOf(context, call)).remove(call.args.path)),
  handler(calls.glob, async (context, call) => {
    const { pattern, folder: _, ...options } = call.args;
    const { items, truncated } = await (await filesOf(context, call)).glob(pattern, options);
    return { items: [...items], truncated };
  }),
  handler(calls.grep, async (context, call) => {
    const { pattern, folder: _, ...options } = call.args;
    const { signal } = call;
    const { items, truncated } = await (await filesOf(context, call)).grep(pattern, { ...options, signal });
    return { items: [...items], truncated };
  }),
];

export const fileHandlers: readonly Handler[] = [
  ...handlersOf(sandboxFileCalls, filesOfSandbox),
  ...handlersOf(workspaceFileCalls, filesOfWorkspace),
];
