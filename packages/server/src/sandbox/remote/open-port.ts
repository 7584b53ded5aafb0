import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import { portHeader, protocolVersion, tunnelProtocol, versionHeader } from "../protocol/wire.ts";
import { addressOf } from "./base-url.ts";
import { failureOf, HostFailure, transportFailure } from "./failures.ts";
import type { HostClient } from "./host-client.ts";
import { refusalOf } from "./read-answer.ts";
import { type ClientTls, readAll } from "./transport.ts";

export interface PortAt {
  readonly client: HostClient;
  readonly id: string;
  readonly deployment: string;
  readonly clock: Clock;
  readonly tls: ClientTls;
}

/** A connection to a port of a sandbox: one of its own to the host, which becomes the port's. */
export async function openRemotePort(at: PortAt, port: number): Promise<Duplex> {
  const { client, id, deployment, clock } = at;
  const { closed } = client;
  const call = sandboxCalls.port;
  closed.throwIfAborted();
  const token = await client.freshToken(call, { id, deployment });
  const upgrade = start(at, { authorization: `Bearer ${token}`, [portHeader]: String(port) });
  const timer = clock.after(call.timeoutMs, () =>
    upgrade.destroy(new HostFailure("late", `did not open a port within ${call.timeoutMs / 1_000} s`)),
  );
  const onClosed = () => upgrade.destroy();
  closed.addEventListener("abort", onClosed, { once: true });
  try {
    const socket = await upgraded(upgrade, clock);
    closed.addEventListener("abort", () => socket.destroy(), { once: true, signal: ended(socket) });
    return socket;
  } catch (thrown) {
    throw failureOf(client.address.name, thrown);
  } finally {
    timer.cancel();
    closed.removeEventListener("abort", onClosed);
  }
}

function start({ client, id, tls }: PortAt, headers: Readonly<Record<string, string>>): ClientRequest {
  const url = addressOf(client.address, { on: "sandbox", name: sandboxCalls.port.name, id });
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isTls = url.protocol === "https:";
  const port = Number(url.port || (isTls ? 443 : 80));
  // Either side may end alone, as with any connection of TCP.
  const to = { host, port, allowHalfOpen: true };
  const secure = {
    ...to,
    ...tls,
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ["http/1.1"],
  };
  const options: RequestOptions = {
    method: "GET",
    createConnection: () => (isTls ? connectTls(secure) : connect(to)),
    headers: {
      ...headers,
      [versionHeader]: protocolVersion,
      connection: "upgrade",
      upgrade: tunnelProtocol,
    },
  };
  const request = isTls ? httpsRequest(url, options) : httpRequest(url, options);
  request.end();
  return request;
}

function upgraded(request: ClientRequest, clock: Clock): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    request.once("upgrade", (answer: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (answer.headers.upgrade !== tunnelProtocol) {
        socket.destroy();
        reject(new HostFailure("wrong", "made something else of a connection to a port"));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once("response", (answer: IncomingMessage) => {
      readAll(answer, { clock, most: 65_536, withinMs: 5_000 }).then(
        (bytes) => reject(refusalOf(bytes)),
        reject,
      );
    });
    request.on("error", (thrown) => reject(transportFailure(thrown)));
  });
}

function ended(socket: Duplex): AbortSignal {
  const over = new AbortController();
  socket.once("close", () => over.abort());
  return over.signal;
}
