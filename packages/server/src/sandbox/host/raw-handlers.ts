import type { ServerResponse } from "node:http";
import type { Call } from "../protocol/call.ts";
import { sandboxFileCalls, workspaceFileCalls } from "../protocol/file-calls.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import type { HostCall, HostContext } from "./context.ts";
import { filesOfSandbox, filesOfWorkspace } from "./file-handlers.ts";
import { framesOf, writeFrames } from "./frame-stream.ts";
import { connectTo } from "./sandbox-handlers.ts";

/** A call and who answers it with bytes or with frames. */
export interface RawHandler {
  readonly call: Call<unknown, null>;
  readonly handle: (context: HostContext, call: HostCall<unknown>, response: ServerResponse) => Promise<void>;
}

function rawHandler<A>(
  call: Call<A, null>,
  handle: (context: HostContext, call: HostCall<A>, response: ServerResponse) => Promise<void>,
): RawHandler {
  // The arguments were read with the call's own schema.
  return { call, handle } as RawHandler;
}

const readFile = (calls: typeof sandboxFileCalls, filesOf: typeof filesOfSandbox) =>
  rawHandler(calls.read, async (context, call, response) => {
    const { path, folder: _, ...range } = call.args;
    const data = await (await filesOf(context, call)).read(path, range);
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": data.length });
    response.end(data);
  });

export const rawHandlers: readonly RawHandler[] = [
  readFile(sandboxFileCalls, filesOfSandbox),
  readFile(workspaceFileCalls, filesOfWorkspace),
  rawHandler(sandboxCalls.exec, async (context, call, response) => {
    const { execId, live, folder: _, ...spec } = call.args;
    const sandbox = await connectTo(context, call);
    const execution = context.executions.start(`${call.id} ${execId}`, ({ signal, onOutput }) =>
      sandbox.exec({
        ...spec,
        signal,
        ...(live && { onOutput }),
        ...(call.tail.length > 0 && { stdin: call.tail }),
      }),
    );
    await stream(context, execution.follow(0, call.signal), response);
  }),
  rawHandler(sandboxCalls.resume, async (context, call, response) => {
    const { execId, from } = call.args;
    const execution = context.executions.find(`${call.id} ${execId}`);
    await stream(context, execution.follow(from, call.signal), response);
  }),
  rawHandler(sandboxCalls.follow, async (context, call, response) => {
    const { process, from } = call.args;
    const sandbox = await connectTo(context, call);
    const events = sandbox.attach(process, { signal: call.signal, ...(from !== undefined && { from }) });
    await stream(context, framesOf(events), response);
  }),
];

async function stream(
  { clock }: HostContext,
  frames: AsyncIterable<Buffer>,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { "content-type": "application/octet-stream" });
  await writeFrames(frames, { response, clock });
}
