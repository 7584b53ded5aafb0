import type { TerminalServerFrame } from "@berth/contract";
import { vi } from "vitest";
import { WebSocket } from "ws";

/** A client of a terminal's WebSocket that keeps what it is sent. */
export interface TerminalClient {
  readonly socket: WebSocket;
  readonly frames: readonly TerminalServerFrame[];
  /** All bytes so far, as text. */
  readonly text: () => string;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  type(text: string): void;
  resize(columns: number, rows: number): void;
  shows(text: string): Promise<void>;
  until<T extends TerminalServerFrame["type"]>(type: T): Promise<Extract<TerminalServerFrame, { type: T }>>;
}

export function openTerminalSocket(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): TerminalClient {
  const socket = new WebSocket(url.replace(/^http/, "ws"), { headers });
  const frames: TerminalServerFrame[] = [];
  const bytes: Buffer[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) bytes.push(data);
    else frames.push(JSON.parse(data.toString()) as TerminalServerFrame);
  });
  socket.on("error", () => {});
  socket.on("close", (code) => resolve(code));
  const text = () => Buffer.concat(bytes).toString();
  const patience = { timeout: 15_000, interval: 10 };
  return {
    socket,
    frames,
    text,
    closed,
    type: (typed) => socket.send(Buffer.from(typed)),
    resize: (columns, rows) => socket.send(JSON.stringify({ type: "resize", columns, rows })),
    async shows(wanted) {
      const check = () => {
        if (!text().includes(wanted)) throw new Error(`it does not show ${wanted}: ${text().slice(-500)}`);
      };
      await vi.waitFor(check, patience);
    },
    until(type) {
      type Wanted = Extract<TerminalServerFrame, { type: typeof type }>;
      const wanted = () =>
        frames.find((frame): frame is Wanted => frame.type === type) ??
        Promise.reject(new Error(`no ${type} among ${JSON.stringify(frames)}`));
      return vi.waitFor(wanted, patience);
    },
  };
}
