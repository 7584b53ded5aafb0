import { backoffMs } from "../../lib/backoff.ts";
import { pause } from "../../lib/clock.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import { processEnd } from "../protocol/shapes.ts";
import type { ProcessEvent } from "../sandbox.ts";
import { failureOf, HostFailure } from "./failures.ts";
import { errorIn } from "./read-answer.ts";
import type { RemoteExec } from "./remote-exec.ts";

export interface Followed {
  readonly process: string;
  readonly from?: number;
  readonly signal?: AbortSignal;
}

const attempts = 6;
const streams = ["stdout", "stderr", "pty"] as const;

/** Output of a process on a host and its end; goes on where it was when the stream is cut. Ends early when the signal aborts. */
export async function* remoteFollow(
  at: RemoteExec,
  { process, from, signal }: Followed,
): AsyncGenerator<ProcessEvent> {
  let next = from;
  const stopped = () => signal?.aborted === true;
  for (let failed = 0; !stopped();) {
    try {
      for await (const event of events(at, { process, signal, from: next })) {
        failed = 0;
        if (event.type === "output") {
          if (next !== undefined && event.offset < next) throw new HostFailure("wrong", "told output twice");
          next = event.offset + event.data.length;
        }
        yield event;
        if (event.type === "end") return;
      }
      throw new HostFailure("cut", "ended a stream in the middle");
    } catch (thrown) {
      if (stopped()) return;
      const goesOn = thrown instanceof HostFailure && thrown.kind !== "wrong" && ++failed < attempts;
      if (!goesOn) throw failureOf(at.client.address.name, thrown);
      await pause(at.clock, backoffMs({ attempt: failed, baseMs: 100, capMs: 2_000 }), signal);
    }
  }
}

async function* events(
  { client, id, deployment, folder }: RemoteExec,
  { process, from, signal }: { process: string; from: number | undefined; signal: AbortSignal | undefined },
): AsyncGenerator<ProcessEvent> {
  const args = { process, ...(folder !== undefined && { folder }), ...(from !== undefined && { from }) };
  for await (const frame of client.frames(sandboxCalls.follow, { args, id, deployment, signal })) {
    if (frame.kind === "output") {
      const stream = streams[frame.stream - 1];
      if (stream === undefined) throw new HostFailure("wrong", "told output of a stream that there is not");
      yield { type: "output", stream, offset: frame.offset, data: new Uint8Array(frame.data) };
    } else if (frame.kind === "end") {
      const parsed = processEnd.safeParse(frame.value);
      if (!parsed.success)
        throw new HostFailure("wrong", "told an end that breaks the protocol", parsed.error);
      yield { type: "end", ...parsed.data };
    } else if (frame.kind === "error") {
      throw errorIn(frame.value) ?? new HostFailure("wrong", "told an error that breaks the protocol");
    }
  }
}
