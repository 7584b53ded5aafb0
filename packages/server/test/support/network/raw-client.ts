import { connect, type Socket } from "node:net";
import { vi } from "vitest";

/** A TCP connection whose bytes a test writes itself. */
export interface RawClient {
  readonly socket: Socket;
  /** All that came so far. */
  received(): string;
  write(text: string | Uint8Array): void;
  /** What came, once the server has closed the connection or it broke. */
  readonly closed: Promise<string>;
  /** What came, as soon as it holds this. */
  until(text: string | RegExp, timeoutMs?: number): Promise<string>;
}

export function rawClient(port: number): RawClient {
  const socket = connect({ port, host: "127.0.0.1" });
  const chunks: Buffer[] = [];
  const received = () => Buffer.concat(chunks).toString("latin1");
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.on("close", () => resolve(received()));
  return {
    socket,
    received,
    closed,
    write: (text) => void socket.write(text),
    until: (wanted, timeout = 10_000) =>
      vi.waitFor(
        () => {
          const text = received();
          const found = typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
          if (found) return text;
          throw new Error(`${String(wanted)} did not come, but ${JSON.stringify(text.slice(0, 500))}`);
        },
        { timeout, interval: 5 },
      ),
  };
}

/** Sends these bytes and nothing more; resolves with the answer when the server closes. */
export async function rawExchange(port: number, text: string): Promise<string> {
  const client = rawClient(port);
  client.write(text);
  return await client.closed;
}

/** The statuses of the answers in what came, in order. */
export function statusesOf(received: string): readonly number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

export function codeOf(received: string): string | undefined {
  return /"code":"(\w+)"/.exec(received)?.[1];
}
