import { type IncomingMessage, request } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { askHost } from "../../support/sandbox/ask-host.ts";
import { usePreviews } from "../../support/sandbox/use-previews.ts";

const { setUp } = usePreviews();

describe("what goes through a preview", () => {
  it("streams both ways, and holds back who is too fast", async () => {
    let written = 0;
    const { net, preview, enter } = await setUp((incoming, response) => {
      if (incoming.method === "POST") {
        let bytes = 0;
        incoming.on("data", (chunk: Buffer) => (bytes += chunk.length));
        incoming.on("end", () => response.end(String(bytes)));
        return;
      }
      const chunk = Buffer.alloc(65_536);
      const more = () => {
        while (written < 400_000_000) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", more);
        }
      };
      more();
    });
    const url = new URL("/", await preview());
    const cookie = await enter(await preview());
    const body = Buffer.alloc(3_000_000, "x");
    expect((await askHost(net.port, url, { method: "POST", body, headers: { cookie } })).text).toBe(
      "3000000",
    );
    const reading = request({
      port: net.port,
      host: "127.0.0.1",
      headers: { host: url.host, cookie },
      agent: false,
    });
    reading.end();
    const [response] = await new Promise<[IncomingMessage]>((resolve) =>
      reading.once("response", (answer) => resolve([answer])),
    );
    response.pause();
    let before = -1;
    await vi.waitFor(
      () => {
        const still = written === before;
        before = written;
        expect(still).toBe(true);
      },
      { interval: 200, timeout: 10_000 },
    );
    expect(written).toBeLessThan(50_000_000);
    reading.destroy();
  });

  it("is a WebSocket too, until the port is closed", async () => {
    const { net, api, preview, enter, server, box, port } = await setUp();
    const sockets = new WebSocketServer({ server });
    const cookies: (string | undefined)[] = [];
    sockets.on("connection", (socket, incoming) => {
      cookies.push(incoming.headers.cookie);
      socket.on("message", (data: Buffer) => socket.send(`echo ${data.toString()}`));
    });
    const url = await preview();
    const cookie = await enter(url);
    const connect = (headers: Record<string, string>) => {
      const socket = new WebSocket(`ws://127.0.0.1:${net.port}/hot`, {
        headers: { host: url.host, ...headers },
      });
      const refusal = new Promise<number>((resolve) => {
        socket.on("unexpected-response", (asked, response) => {
          resolve(response.statusCode ?? 0);
          asked.destroy();
        });
        socket.on("open", () => resolve(101));
      });
      socket.on("error", () => {});
      return { socket, refusal };
    };
    expect(await connect({}).refusal).toBe(403);
    expect(await connect({ cookie, origin: "http://evil.example" }).refusal).toBe(403);
    const { socket, refusal } = connect({ cookie, origin: url.origin });
    expect(await refusal).toBe(101);
    const answered = new Promise<string>((resolve) =>
      socket.once("message", (data: Buffer) => resolve(data.toString())),
    );
    socket.send("hi");
    expect(await answered).toBe("echo hi");
    expect(cookies).toEqual([undefined]);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await api.delete(`/sandboxes/${box.id}/ports/${port}`);
    await closed;
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  });

  it("is cut when it is too much, and told when the sandbox's server is none", async () => {
    const { net, preview, enter, plain } = await setUp((incoming) => incoming.socket.destroy());
    const url = new URL("/", await preview());
    const cookie = await enter(await preview());
    const dead = await askHost(net.port, url, { headers: { cookie } });
    expect([dead.status, dead.text]).toEqual([502, expect.stringContaining("gave no answer")]);
    const big = await askHost(net.port, url, {
      method: "POST",
      headers: { cookie, "content-length": "200000000" },
    });
    expect(big.status).toBe(413);
    plain.ownPorts.clear();
    const none = await askHost(net.port, url, { headers: { cookie } });
    expect([none.status, none.text]).toEqual([502, expect.stringContaining("Nothing listens on this port")]);
  });
});
