// Just enough of RFC 6455 to test the client with: short text frames, over the upgrade of a test server's socket.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { ClientFrame, ServerFrame } from "@berth/contract";

export interface SocketPeer {
  send(frame: ServerFrame): void;
  cut(): void;
}

export interface SocketServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly string[];
  readonly frames: readonly ClientFrame[];
  sockets(): number;
}

/** Calls the function with each frame that a client sends. `POST /tickets` gives `ticket-1`, `ticket-2`, ... */
export async function startSocketServer(
  onFrame: (frame: ClientFrame, peer: SocketPeer, connection: number) => void,
): Promise<SocketServer> {
  const requests: string[] = [];
  const frames: ClientFrame[] = [];
  const sockets = new Set<Socket>();
  let tickets = 0;
  let connections = 0;
  const server = createServer((_, response) => {
    tickets += 1;
    response
      .writeHead(201)
      .end(JSON.stringify({ ticket: `ticket-${tickets}`, expiresAt: "2030-01-01T00:00:00Z" }));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    requests.push(request.url ?? "");
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const connection = connections++;
    const peer: SocketPeer = {
      send: (frame) => socket.write(textFrame(JSON.stringify(frame))),
      cut: () => socket.destroy(),
    };
    let buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      for (let frame = readFrame(buffer); frame !== null; frame = readFrame(buffer)) {
        buffer = buffer.subarray(frame.size);
        if (frame.opcode === 8) socket.end(Buffer.from([0x88, 0]));
        if (frame.opcode !== 1) continue;
        const parsed = JSON.parse(frame.text) as ClientFrame;
        frames.push(parsed);
        onFrame(parsed, peer, connection);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    frames,
    sockets: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126 ? [0x81, payload.length] : [0x81, 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from(head), payload]);
}

function readFrame(buffer: Buffer): { opcode: number; text: string; size: number } | null {
  if (buffer.length < 2) return null;
  const short = buffer.readUInt8(1) & 127;
  const head = short === 126 ? 4 : 2;
  if (buffer.length < head + 4) return null;
  const length = short === 126 ? buffer.readUInt16BE(2) : short;
  const size = head + 4 + length;
  if (buffer.length < size) return null;
  const mask = buffer.subarray(head, head + 4);
  const payload = Buffer.from(buffer.subarray(head + 4, size)).map((byte, i) => byte ^ mask.readUInt8(i % 4));
  return { opcode: buffer.readUInt8(0) & 15, text: Buffer.from(payload).toString("utf8"), size };
}
