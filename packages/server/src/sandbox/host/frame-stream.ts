import type { ServerResponse } from "node:http";
import { type Clock, every } from "../../lib/clock.ts";
import { envelopeOf } from "../protocol/errors.ts";
import { aliveFrame, encodeOutput, encodeValue, frameData } from "../protocol/frames.ts";
import { wireTimes } from "../protocol/wire.ts";
import type { ProcessEvent } from "../sandbox.ts";

/** Writes frames as fast as they are read, and signs of life between them. An error becomes the last frame. */
export async function writeFrames(
  frames: AsyncIterable<Buffer>,
  { response, clock }: { readonly response: ServerResponse; readonly clock: Clock },
): Promise<void> {
  response.flushHeaders();
  const alive = every(clock, wireTimes.keepalive, () => {
    if (!response.writableNeedDrain) response.write(aliveFrame);
  });
  try {
    for await (const frame of frames) {
      if (!response.write(frame)) await drained(response);
      if (response.destroyed) break;
    }
  } catch (thrown) {
    response.write(encodeValue("error", envelopeOf(thrown)));
  } finally {
    alive.cancel();
    response.end();
  }
}

/** Resolves when more may be written, or when there is nobody any more to write to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
    if (response.destroyed) done();
  });
}

const streams = { stdout: 1, stderr: 2, pty: 3 } as const;

/** Events of a process as frames. */
export async function* framesOf(events: AsyncIterable<ProcessEvent>): AsyncGenerator<Buffer> {
  yield aliveFrame;
  for await (const event of events) {
    if (event.type === "output") {
      for (let at = 0; at < event.data.length; at += frameData) {
        const data = event.data.subarray(at, at + frameData);
        yield encodeOutput(streams[event.stream], event.offset + at, data);
      }
    } else {
      const { code, signal, reason } = event;
      yield encodeValue("end", { code, signal, reason });
    }
  }
}
