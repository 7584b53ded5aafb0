import { BerthError } from "../../lib/errors.ts";
import { sandboxFileCalls } from "../protocol/file-calls.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import type { Call } from "../protocol/call.ts";
import type { Sandbox } from "../sandbox.ts";
import { openRemotePort, type PortAt } from "./open-port.ts";
import { remoteExec } from "./remote-exec.ts";
import { createRemoteFiles } from "./remote-files.ts";
import { remoteFollow } from "./remote-follow.ts";

export interface SandboxAt extends PortAt {
  readonly folder: string | undefined;
}

/** One sandbox of a host. That it is not there any more means that it was lost: it was there when it was connected to. */
export function createRemoteSandbox(at: SandboxAt): Sandbox {
  const { client, id, deployment } = at;
  const folder = at.folder === undefined ? {} : { folder: at.folder };
  const lost = async <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((thrown: unknown) => {
      throw lostOf(thrown);
    });
  const call = <A, R>(which: Call<A, R>, args: A, tail?: Uint8Array) =>
    lost(client.call(which, { args, id, deployment, tail }));

  return {
    id,
    files: createRemoteFiles({
      client,
      calls: sandboxFileCalls,
      id,
      deployment,
      folder: at.folder,
      onError: lostOf,
    }),
    exec: (spec) => lost(remoteExec(at, spec)),
    spawn: ({ command, cwd, environment, pty, input, hidden }) =>
      call(sandboxCalls.spawn, {
        ...folder,
        command,
        ...(cwd !== undefined && { cwd }),
        ...(environment !== undefined && { environment: { ...environment } }),
        ...(pty !== undefined && { pty: { ...pty } }),
        ...(input !== undefined && { input }),
        ...(hidden !== undefined && { hidden }),
      }),
    processes: () => call(sandboxCalls.processes, folder),
    logs: (process, offset) =>
      call(sandboxCalls.logs, { ...folder, process, ...(offset !== undefined && { offset }) }),
    async *attach(process, options = {}) {
      try {
        yield* remoteFollow(at, { ...options, process });
      } catch (thrown) {
        throw lostOf(thrown);
      }
    },
    async write(process, data) {
      const args = { ...folder, process, close: data === null };
      await call(sandboxCalls.input, args, data ?? undefined);
    },
    async resize(process, { columns, rows }) {
      await call(sandboxCalls.resize, { ...folder, process, size: { columns, rows } });
    },
    kill: (process) => call(sandboxCalls.kill, { ...folder, process }),
    listening: () => call(sandboxCalls.listening, folder),
    openPort: (port) => lost(openRemotePort(at, port)),
    metrics: () => call(sandboxCalls.metrics, folder),
    health: () => call(sandboxCalls.health, folder),
  };
}

function lostOf(thrown: unknown): unknown {
  if (!(thrown instanceof BerthError) || thrown.code !== "sandbox_not_found") return thrown;
  return new BerthError("sandbox_lost", "This sandbox is gone; make a new one.", {
    retryable: true,
    cause: thrown,
  });
}
