import type { ExecResult, ProcessEnd } from "@berth/contract";
import type { ProcessEvent } from "../operations/sandbox-commands.ts";
import { toldOf } from "./websocket-frames.ts";
import { outputEndBytes } from "./sse-bytes.ts";
import type { Feeder, SseConnection } from "./sse-connection.ts";
import { type TextPiece, wholeCharacters } from "./whole-characters.ts";

/** Bytes that may wait for the client before it is waited for, or before output of a command is left out. */
const maxUnsent = 1_048_576;

/** What a stream of output is written by. */
interface Pump {
  readonly connection: SseConnection;
  /** Aborts when nobody is there any more. */
  readonly signal: AbortSignal;
  /** Resolves when the client has taken what it was sent; at once when that is little. */
  readonly room: () => Promise<void>;
  readonly frame: (piece: TextPiece) => void;
}

/**
 * Output of a process as it comes: `event: output` with the offset to go on from as its id, and `event: exit` at its end. A client that
 * does not read is waited for.
 */
export function followOutput(events: (signal: AbortSignal) => AsyncIterable<ProcessEvent>) {
  return feeding(async ({ connection, signal, room, frame }) => {
    const whole = wholeCharacters();
    for await (const event of events(signal)) {
      if (signal.aborted) return;
      if (event.type === "end") {
        for (const last of whole.rest()) frame(last);
        const { code, signal: by, reason } = event;
        const end: ProcessEnd = { code, signal: by, reason };
        return connection.close(Buffer.from(`event: exit\ndata: ${JSON.stringify(end)}\n\n`));
      }
      for (const next of whole.add(event.offset, event.data)) frame(next);
      await room();
    }
    // The process was not kept, or its sandbox is gone.
    connection.close(outputEndBytes({ code: "process_not_found", message: "The process is there no more." }));
  });
}

/**
 * A command's output as it comes, and `event: result` at its end. A command is not held up by who watches it: what a slow client has
 * no room for is left out, which the next frame's offset tells.
 */
export function commandOutput(
  run: (how: {
    readonly signal: AbortSignal;
    readonly onOutput: (chunk: string) => void;
  }) => Promise<ExecResult>,
) {
  return feeding(async ({ connection, signal, frame }) => {
    let offset = 0;
    const onOutput = (text: string) => {
      const next = offset + Buffer.byteLength(text);
      if (connection.unsent < maxUnsent) frame({ offset, next, text });
      offset = next;
    };
    const result = await run({ signal, onOutput });
    if (signal.aborted) return;
    connection.close(Buffer.from(`event: result\ndata: ${JSON.stringify(result)}\n\n`));
  });
}

function feeding(pump: (of: Pump) => Promise<void>): (connection: SseConnection) => Feeder {
  return (connection) => {
    const gone = new AbortController();
    let drained: (() => void) | null = null;
    const wake = () => {
      drained?.();
      drained = null;
    };
    const room = async () => {
      while (connection.unsent > maxUnsent && !gone.signal.aborted) {
        await new Promise<void>((resolve) => {
          drained = resolve;
          connection.askForDrain();
        });
      }
    };
    const frame = ({ offset, next, text }: TextPiece) => {
      const data = JSON.stringify({ offset, text });
      if (text !== "") connection.write(Buffer.from(`id: ${next}\nevent: output\ndata: ${data}\n\n`));
    };
    // Not before the connection knows what feeds it.
    queueMicrotask(() => {
      pump({ connection, signal: gone.signal, room, frame }).catch((thrown: unknown) => {
        if (gone.signal.aborted) return;
        connection.close(outputEndBytes(toldOf(thrown)));
      });
    });
    return {
      drained: wake,
      tellPosition() {},
      stop() {
        gone.abort();
        wake();
      },
    };
  };
}
