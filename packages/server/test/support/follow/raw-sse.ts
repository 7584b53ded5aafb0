import { connect, type Socket } from "node:net";
import { createParser } from "eventsource-parser";
import { apiKey } from "./server.ts";

export interface SseFrame {
  readonly id: string | null;
  readonly type: string;
  readonly data: unknown;
}

/** One event stream over a socket of its own, without an HTTP client in between. */
export interface RawSse {
  /** Status line and headers, when they have come. */
  readonly head: Promise<string>;
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  readonly comments: readonly string[];
  readonly retry: number | null;
  pause(): void;
  resume(): void;
  cut(): void;
}

/** Opens a stream; `cutAfter` bytes of its body the connection is cut, in the middle of whatever it was. */
export function openRawSse(options: {
  readonly port: number;
  readonly path: string;
  readonly lastEventId?: string | null;
  readonly cutAfter?: number;
  readonly onFrame?: (frame: SseFrame) => void;
}): RawSse {
  const { port, path, lastEventId = null, cutAfter = Number.POSITIVE_INFINITY, onFrame } = options;
  const socket: Socket = connect(port, "127.0.0.1");
  const comments: string[] = [];
  let retry: number | null = null;
  let left = cutAfter;
  const parser = createParser({
    onEvent: ({ id, event, data }) =>
      onFrame?.({ id: id ?? null, type: event ?? "", data: JSON.parse(data) }),
    onComment: (comment) => comments.push(comment),
    onRetry: (ms) => (retry = ms),
  });
  const decoder = new TextDecoder();
  const { promise: head, resolve: gotHead } = Promise.withResolvers<string>();
  const { promise: closed, resolve: gotClosed } = Promise.withResolvers<void>();
  let before: Buffer | null = Buffer.alloc(0);
  const take = dechunk((bytes) => {
    const taken = bytes.subarray(0, left);
    left -= taken.length;
    parser.feed(decoder.decode(taken, { stream: true }));
    if (left === 0) socket.destroy();
  });
  socket.on("data", (bytes) => {
    if (before === null) return take(bytes);
    before = Buffer.concat([before, bytes]);
    const end = before.indexOf("\r\n\r\n");
    if (end === -1) return;
    gotHead(before.subarray(0, end).toString());
    const rest = before.subarray(end + 4);
    before = null;
    take(rest);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    gotHead(before?.toString() ?? "");
    gotClosed();
  });
  const resume = lastEventId === null ? "" : `Last-Event-ID: ${lastEventId}\r\n`;
  const own = `Host: 127.0.0.1:${port}\r\nX-API-Key: ${apiKey}\r\nConnection: close\r\n`;
  socket.write(`GET ${path} HTTP/1.1\r\n${own}${resume}\r\n`);
  return {
    head,
    closed,
    comments,
    get retry() {
      return retry;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    cut: () => void socket.destroy(),
  };
}

/** Takes a chunked body in pieces of any size, and gives what is in its chunks. */
function dechunk(give: (bytes: Buffer) => void): (bytes: Buffer) => void {
  let line = "";
  /** Bytes of the chunk that are still to come, with the line break after it; null: its size is to come. */
  let toCome: number | null = null;
  return (bytes) => {
    for (let at = 0; at < bytes.length;) {
      if (toCome === null) {
        const end = bytes.indexOf("\n", at);
        line += bytes.toString("latin1", at, end === -1 ? bytes.length : end);
        at = end === -1 ? bytes.length : end + 1;
        if (end === -1) continue;
        toCome = Number.parseInt(line, 16) + 2;
        line = "";
      } else {
        const piece = bytes.subarray(at, at + toCome);
        const content = piece.subarray(0, Math.max(0, toCome - 2));
        if (content.length > 0) give(content);
        at += piece.length;
        toCome -= piece.length;
        if (toCome === 0) toCome = null;
      }
    }
  };
}
