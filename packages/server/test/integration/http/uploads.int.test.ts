import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { apiKey } from "../../support/follow/server.ts";
import { useServer } from "../../support/follow/use-server.ts";

const start = useServer();
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

interface Client {
  readonly socket: Socket;
  readonly received: { text: string; error: Error | null };
}

async function dial(port: number): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  const received: Client["received"] = { text: "", error: null };
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => (received.text += text));
  socket.on("error", (error) => (received.error = error));
  await once(socket, "connect");
  return { socket, received };
}

function head(method: string, path: string, ...headers: readonly string[]): string {
  const lines = [`${method} /api/v1${path} HTTP/1.1`, "host: 127.0.0.1", `x-api-key: ${apiKey}`, ...headers];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

const octets = "content-type: application/octet-stream";

describe("an upload", () => {
  it.each(["content-length: 1000000", "transfer-encoding: chunked"])(
    "whose client goes in its middle (%s) is no error of the server",
    async (length) => {
      const { api, at, port } = await start();
      const { id } = await api.session();
      const { metrics } = api.operations.telemetry;
      const { socket } = await dial(port);
      socket.write(`${head("PUT", `/sessions/${id}/files/a`, octets, length)}3\r\nabc\r\n`);
      await vi.waitFor(() => expect(at.sockets[0]?.bytesRead).toBeGreaterThan(0), 10_000);
      socket.resetAndDestroy();
      await vi.waitFor(async () => {
        expect(await metrics.text()).toMatch(/berth_http_requests_total\{method="PUT".*status="499"/);
      }, 10_000);
      expect(await metrics.text()).not.toMatch(/berth_unexpected_errors_total\{[^}]*\} [1-9]/);
    },
  );

  it.each(["content-length", "chunked"])(
    "that is too big is read to its end (%s), and the connection goes on",
    async (kind) => {
      const { api, port } = await start();
      const { id } = await api.session();
      const body = Buffer.alloc(8_000_000);
      const length = kind === "chunked" ? "transfer-encoding: chunked" : `content-length: ${body.length}`;
      const { socket, received } = await dial(port);
      // As clients do that read only when they have sent everything.
      socket.pause();
      socket.write(head("PUT", `/sessions/${id}/files/a`, octets, length));
      if (kind === "chunked") socket.write(`${body.length.toString(16)}\r\n`);
      socket.write(body);
      const end = kind === "chunked" ? "\r\n0\r\n\r\n" : "";
      await new Promise<void>((resolve) => socket.write(end + head("GET", "/me"), () => resolve()));
      socket.resume();
      await vi.waitFor(() => expect(received.text).toContain('"usr_test"'), 10_000);
      expect(received.text).toMatch(/^HTTP\/1\.1 413 /);
      expect(received.text).toContain('"body_too_large"');
      expect(received.error).toBeNull();
    },
  );
});
