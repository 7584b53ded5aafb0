import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Which connection it came on, from 1. */
  readonly connection: number;
}

/** The raw side of one reply: nothing is sent but what is called for. */
export interface Reply {
  /** Status line and headers; the body follows in chunks unless a content-length is given. */
  head(status: number, headers?: Readonly<Record<string, string>>): void;
  /** One HTTP chunk, which the other side's parser hands out as one piece of data. */
  chunk(data: string | Uint8Array): void;
  /** Bytes as they are. */
  raw(data: string | Uint8Array): void;
  /** The end of a chunked body; the connection stays open for the next request. */
  end(): void;
  /** Closes the connection at once. */
  cut(): void;
  /** A whole reply with a length. */
  send(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** Settles when the other side has closed the connection. */
  readonly gone: Promise<void>;
}

export type Answerer = (reply: Reply, request: ReceivedRequest) => void | Promise<void>;

export interface FaultServer {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** What to do with the requests from now on. */
  answer(how: Answerer): void;
  close(): Promise<void>;
}

/** A server on a raw socket, for replies that no HTTP library would let through. */
export async function startFaultServer(): Promise<FaultServer> {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  let how: Answerer = (reply) => reply.send(500, {}, "no answer is set");
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    let bytes = Buffer.alloc(0);
    socket.on("data", (data) => {
      bytes = Buffer.concat([bytes, data]);
      for (let read = readRequest(bytes, connection); read !== null; read = readRequest(bytes, connection)) {
        bytes = bytes.subarray(read.length);
        requests.push(read.request);
        void Promise.resolve(how(replyOn(socket, gone), read.request)).catch(() => socket.destroy());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer(next) {
      how = next;
    },
    close: () => closeServer(server, sockets),
  };
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}

function replyOn(socket: Socket, gone: Promise<void>): Reply {
  const write = (data: string | Uint8Array) => void (socket.writable && socket.write(data));
  const headOf = (status: number, headers: Readonly<Record<string, string>>) =>
    `HTTP/1.1 ${status} Status\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}\r\n`;
  return {
    gone,
    raw: write,
    head: (status, headers = { "content-type": "text/event-stream" }) =>
      write(headOf(status, { ...headers, "transfer-encoding": "chunked" })),
    chunk(data) {
      const bytes = typeof data === "string" ? Buffer.from(data) : data;
      write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]));
    },
    end: () => write("0\r\n\r\n"),
    cut: () => void socket.destroy(),
    send: (status, headers, body) =>
      write(headOf(status, { ...headers, "content-length": String(Buffer.byteLength(body)) }) + body),
  };
}

function readRequest(bytes: Buffer, connection: number): { request: ReceivedRequest; length: number } | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]),
  );
  const length = end + 4 + Number(headers["content-length"] ?? 0);
  if (bytes.length < length) return null;
  return {
    request: { method, path, headers, body: bytes.toString("utf8", end + 4, length), connection },
    length,
  };
}
