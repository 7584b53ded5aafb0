import type { ClientFrame, ServerFrame } from "@berth/contract";
import { vi } from "vitest";
import { WebSocket } from "ws";
import { apiKey } from "./server.ts";

/** A WebSocket client that keeps what it is sent. */
export interface WsClient {
  readonly frames: ServerFrame[];
  readonly socket: WebSocket;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** Status of the answer when the upgrade was refused, else 101. */
  readonly status: Promise<number>;
  send(frame: ClientFrame): void;
  /** The first such frame, as soon as it has come. */
  until<T extends ServerFrame["op"]>(
    op: T,
    found?: (frame: Extract<ServerFrame, { op: T }>) => boolean,
  ): Promise<Extract<ServerFrame, { op: T }>>;
}

export function openWs(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = { "x-api-key": apiKey },
): WsClient {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1${path}`, { headers });
  const frames: ServerFrame[] = [];
  const { promise: closed, resolve: gotClosed } = Promise.withResolvers<number>();
  const { promise: status, resolve: gotStatus } = Promise.withResolvers<number>();
  socket.on("open", () => gotStatus(101));
  socket.on("unexpected-response", (request, response) => {
    gotStatus(response.statusCode ?? 0);
    request.destroy();
  });
  socket.on("message", (data: Buffer) => frames.push(JSON.parse(data.toString()) as ServerFrame));
  socket.on("error", () => {});
  socket.on("close", (code) => gotClosed(code));
  return {
    frames,
    socket,
    closed,
    status,
    send: (frame) => socket.send(JSON.stringify(frame)),
    until(op, found = () => true) {
      type Wanted = Extract<ServerFrame, { op: typeof op }>;
      const wanted = () =>
        frames.find((frame): frame is Wanted => frame.op === op && found(frame as Wanted)) ??
        Promise.reject(new Error(`no such frame among ${JSON.stringify(frames.map((frame) => frame.op))}`));
      return vi.waitFor(wanted, { timeout: 10_000, interval: 5 });
    },
  };
}
