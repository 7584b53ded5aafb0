import type { ProcessEnd, TerminalClientFrame, TerminalServerFrame, Ticket } from "@berth/contract";
import { BerthConnectionError } from "./error.ts";
import { refusalOf } from "./refusal.ts";
import type { Connector } from "./session/event-source.ts";

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Default: a login shell. */
  readonly command?: string;
  /** Relative to the workspace. */
  readonly cwd?: string;
  /** It goes on when the connection ends; `process` opens it again. */
  readonly keep?: boolean;
  /** A terminal that was kept. */
  readonly process?: string;
  /** Offset of its output to begin at. */
  readonly from?: number;
  /** Called with what it shows, as it comes. */
  readonly onOutput?: (data: Uint8Array) => void;
  /** Ends the connection. */
  readonly signal?: AbortSignal;
}

/** A terminal that is open. */
export interface TerminalHandle {
  readonly process: string;
  /** Types. */
  write(data: Uint8Array<ArrayBuffer> | string): void;
  resize(columns: number, rows: number): void;
  /** Ends the connection, and with it the process unless it is kept. */
  close(): void;
  /** How its process ended. Rejects with BerthApiError or BerthConnectionError when that is not known. */
  readonly ended: Promise<ProcessEnd>;
}

/** Resolves once the terminal is open. Rejects with BerthApiError or BerthConnectionError. */
export async function openTerminal(
  { http, WebSocket }: Connector,
  path: string,
  options: TerminalOptions,
): Promise<TerminalHandle> {
  if (WebSocket === undefined) throw new Error("There is no WebSocket here: give createClient one.");
  const { onOutput, signal, ...asked } = options;
  const target = http.url(path, asked);
  target.protocol = target.protocol === "https:" ? "wss:" : "ws:";
  if (http.options.apiKey !== undefined) {
    const request = { method: "POST", path: "/tickets", body: {}, ...(signal && { signal }) } as const;
    target.searchParams.set("ticket", (await http.json<Ticket>(request)).ticket);
  }
  signal?.throwIfAborted();
  const socket = new WebSocket(target);
  socket.binaryType = "arraybuffer";
  const { promise: opened, resolve: open, reject: refuse } = Promise.withResolvers<string>();
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<ProcessEnd>();
  // Whoever does not look at its end is not told of it.
  ended.catch(() => {});
  const abort = () => socket.close();
  const over = (error: unknown) => {
    signal?.removeEventListener("abort", abort);
    refuse(error);
    fail(error);
  };
  signal?.addEventListener("abort", abort, { once: true });
  socket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) return onOutput?.(new Uint8Array(data));
    const frame = JSON.parse(String(data)) as TerminalServerFrame;
    if (frame.type === "open") open(frame.process);
    else if (frame.type === "exit") end({ code: frame.code, signal: frame.signal, reason: frame.reason });
    else over(refusalOf(frame));
  });
  socket.addEventListener("error", () =>
    over(new BerthConnectionError(target.origin, new Error("the WebSocket failed"))),
  );
  socket.addEventListener("close", () => over(signal?.aborted === true ? signal.reason : cut(target)));
  const send = (data: Uint8Array<ArrayBuffer> | string) => {
    if (socket.readyState === 1) socket.send(data);
  };
  return {
    process: await opened,
    ended,
    write: (data) => send(typeof data === "string" ? new TextEncoder().encode(data) : data),
    resize(columns, rows) {
      const frame: TerminalClientFrame = { type: "resize", columns, rows };
      send(JSON.stringify(frame));
    },
    close: () => socket.close(),
  };
}

function cut({ origin }: URL): BerthConnectionError {
  return new BerthConnectionError(origin, new Error("the connection ended"));
}
