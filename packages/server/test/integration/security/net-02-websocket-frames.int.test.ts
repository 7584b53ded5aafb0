import { connect, type Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { openWs } from "../../support/follow/ws-client.ts";
import {
  apiKey,
  type NetServer,
  type NetServerOptions,
  useNetServer,
} from "../../support/network/net-server.ts";

const start = useNetServer();
const headers = { "x-api-key": apiKey };

async function startWithSession(options: NetServerOptions = {}): Promise<{ server: NetServer; id: string }> {
  const server = await start(options);
  await server.api.agent();
  return { server, id: (await server.api.session()).id };
}

/** A WebSocket whose frames a test writes byte by byte. */
async function rawSocket(
  port: number,
  path: string,
): Promise<{ socket: Socket; closeCode: Promise<number | null> }> {
  const socket = connect({ port, host: "127.0.0.1" });
  const request = [
    `GET /api/v1${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    `X-API-Key: ${apiKey}`,
  ];
  socket.write(`${request.join("\r\n")}\r\n\r\n`);
  let bytes = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk) => (bytes = Buffer.concat([bytes, chunk])));
  await vi.waitFor(() => expect(bytes.toString("latin1")).toMatch(/^HTTP\/1\.1 101[\s\S]*\r\n\r\n/), {
    timeout: 10_000,
  });
  const closeCode = new Promise<number | null>((resolve) => {
    socket.on("close", () => {
      const at = bytes.lastIndexOf(0x88);
      resolve(at === -1 || bytes.length < at + 4 ? null : bytes.readUInt16BE(at + 2));
    });
  });
  return { socket, closeCode };
}

/** One frame of a client, masked with zeros. */
function frame(opcode: number, payload: Buffer, { fin = true, declared = payload.length } = {}): Buffer {
  const first = (fin ? 0x80 : 0) | opcode;
  const mask = Buffer.alloc(4);
  if (declared < 126) return Buffer.concat([Buffer.from([first, 0x80 | declared]), mask, payload]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(declared));
  return Buffer.concat([Buffer.from([first, 0x80 | 127]), size, mask, payload]);
}

describe("NET-02: a WebSocket that is sent what hurts", () => {
  it("closes on a message of 100 MiB before it has come", async () => {
    const { server, id } = await startWithSession();
    const { socket, closeCode } = await rawSocket(server.port, `/sessions/${id}/ws`);
    socket.write(frame(1, Buffer.from("{"), { declared: 104_857_600 }));
    expect(await closeCode).toBe(1009);
  });

  it("closes on 100,000 fragments, and on a message that is too long in pieces", async () => {
    const { server, id } = await startWithSession();
    const many = await rawSocket(server.port, `/sessions/${id}/ws`);
    many.socket.write(frame(1, Buffer.from(" "), { fin: false }));
    const piece = frame(0, Buffer.from(" "), { fin: false });
    many.socket.write(Buffer.concat(Array.from({ length: 100_000 }, () => piece)));
    expect(await many.closeCode).toBe(1008);
    const long = await rawSocket(server.port, `/sessions/${id}/ws`);
    const half = Buffer.alloc(700_000, " ");
    long.socket.write(frame(1, half, { fin: false }));
    long.socket.write(frame(0, half));
    expect(await long.closeCode).toBe(1009);
  });

  it("agrees to no compression, and closes on a frame that claims one", async () => {
    const { server, id } = await startWithSession();
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/api/v1/sessions/${id}/ws`, {
      headers,
      perMessageDeflate: true,
    });
    await new Promise((resolve) => client.once("open", resolve));
    expect(client.extensions).toBe("");
    client.terminate();
    const { socket, closeCode } = await rawSocket(server.port, `/sessions/${id}/ws`);
    socket.write(frame(0x41, Buffer.from("x")));
    expect(await closeCode).toBe(1002);
  });

  it("closes on text that is no UTF-8, on a reserved opcode and on a frame without a mask", async () => {
    const { server, id } = await startWithSession();
    const sent: readonly (readonly [Buffer, number])[] = [
      [frame(1, Buffer.from([0xff, 0xfe])), 1007],
      [frame(3, Buffer.from("x")), 1002],
      [Buffer.from([0x81, 0x01, 0x78]), 1002],
      [frame(9, Buffer.alloc(126)), 1002],
    ];
    for (const [bytes, code] of sent) {
      const { socket, closeCode } = await rawSocket(server.port, `/sessions/${id}/ws`);
      socket.write(bytes);
      expect(await closeCode).toBe(code);
    }
  });

  it("answers pings, and closes on a flood of them", async () => {
    const { server, id } = await startWithSession();
    const client = openWs(server.port, `/sessions/${id}/ws`, headers);
    await client.until("subscribed");
    const pongs: string[] = [];
    client.socket.on("pong", (data: Buffer) => pongs.push(data.toString()));
    client.socket.ping("a");
    client.socket.ping("b");
    await vi.waitFor(() => expect(pongs).toEqual(["a", "b"]), { timeout: 10_000 });
    for (let i = 0; i < 5_000; i++) client.socket.ping("x");
    expect(await client.closed).toBe(1008);
    expect(pongs.length).toBeLessThan(250);
  });

  it("cuts a client that asks and asks and takes no answer", async () => {
    const { server } = await startWithSession({ streams: { maxUnsentAnswers: 100_000 } });
    const { socket, closeCode } = await rawSocket(server.port, "/ws");
    await vi.waitFor(() => expect(server.streams.sockets.size).toBe(1), { timeout: 10_000 });
    socket.pause();
    // Each is answered by an error that repeats its id.
    const bad = frame(1, Buffer.from(JSON.stringify({ op: "nothing", id: "i".repeat(64) })));
    const batch = Buffer.concat(Array.from({ length: 500 }, () => bad));
    const flood = setInterval(() => {
      if (socket.writableLength < 1_000_000) socket.write(batch);
    }, 5);
    const [end] = server.sockets;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, end?.writableLength ?? 0)), 5);
    try {
      await vi.waitFor(() => expect(server.streams.sockets.size).toBe(0), { timeout: 25_000 });
    } finally {
      clearInterval(flood);
      clearInterval(watch);
    }
    expect(most).toBeLessThan(1_000_000);
    socket.destroy();
    await closeCode;
  });

  it("does not open while the server has too much to do", async () => {
    const overload = { begin() {}, end() {}, isOverloaded: true };
    const busy = await startWithSession({ edge: { overload } });
    expect(await openWs(busy.server.port, `/sessions/${busy.id}/ws`, headers).status).toBe(503);
  });

  it("does not open for a page of somebody else", async () => {
    const cors = { origins: new Set(["https://console.example"]) };
    const { server, id } = await startWithSession({ edge: { cors } });
    const from = (origin: string) => openWs(server.port, `/sessions/${id}/ws`, { ...headers, origin }).status;
    expect(await from("https://evil.example")).toBe(403);
    expect(await from("null")).toBe(403);
    expect(await from("https://console.example.evil.example")).toBe(403);
    expect(await from("https://console.example")).toBe(101);
  });
});
