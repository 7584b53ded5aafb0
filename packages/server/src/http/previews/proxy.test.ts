import { duplexPair } from "node:stream";
import { expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { proxyUpgrade } from "./proxy.ts";

const limits = { bodyBytes: 1_000, idleMs: 300_000, openMs: 30_000 };
const request = {
  method: "GET",
  url: "/hot",
  headers: { host: "x.localhost", connection: "Upgrade", upgrade: "websocket" },
};

function begin() {
  const clock = createManualClock();
  const [browser, socket] = duplexPair();
  const [connection, server] = duplexPair();
  const { signal } = new AbortController();
  const sandbox = { openPort: async () => connection };
  const proxied = { sandbox, port: 3_000, request: request as never, secure: false, signal, limits, clock };
  const done = proxyUpgrade(proxied, socket, Buffer.alloc(0)).then(
    () => "over",
    (error: unknown) => String(error),
  );
  const asked = new Promise<string>((resolve) =>
    server.once("data", (bytes: Buffer) => resolve(String(bytes))),
  );
  return { clock, browser, connection, server, done, asked };
}

it("gives up a WebSocket that the sandbox's server does not begin in time", async () => {
  const { clock, connection, done, asked } = begin();
  expect(await asked).toContain("GET /hot");
  await clock.advance(limits.openMs - 1);
  expect(connection.destroyed).toBe(false);
  await clock.advance(1);
  expect(await done).toMatch(/gave no answer|hang up/);
  expect(connection.destroyed).toBe(true);
});

it("leaves one that has begun alone", async () => {
  const { clock, browser, connection, server, done, asked } = begin();
  await asked;
  const answered = new Promise<string>((resolve) =>
    browser.once("data", (bytes: Buffer) => resolve(String(bytes))),
  );
  server.write("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
  expect(await answered).toContain("101");
  await clock.advance(10 * limits.openMs);
  expect(connection.destroyed).toBe(false);
  browser.destroy();
  connection.destroy();
  expect(await done).toBe("over");
});
