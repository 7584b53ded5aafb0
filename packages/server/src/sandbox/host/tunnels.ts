import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { BerthError } from "../../lib/errors.ts";
import { envelopeOf, statusOf } from "../protocol/errors.ts";
import { sandboxCalls } from "../protocol/sandbox-calls.ts";
import { portHeader, tunnelProtocol } from "../protocol/wire.ts";
import { type Admission, authenticate, authorize, checkVersion, readAddress, useToken } from "./admit.ts";
import { type HostContext, refOf } from "./context.ts";

/** Connections to ports of sandboxes. */
export interface Tunnels {
  /** Makes the connection of an upgrade request the port's own. Never rejects. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  close(): void;
}

const most = 1_000;

export function createTunnels(context: HostContext, admission: Admission): Tunnels {
  const open = new Set<Duplex>();

  async function portOf(request: IncomingMessage): Promise<Duplex> {
    const claims = await authenticate(request, admission);
    checkVersion(request);
    const call = sandboxCalls.port;
    const address = readAddress(request.url ?? "");
    if (address?.path !== "sandbox/port" || request.headers.upgrade !== tunnelProtocol) {
      throw new BerthError("call_not_found", "There is no such call.");
    }
    await authorize(context, { call, id: address.id }, claims);
    const args = call.args.safeParse({ port: Number(request.headers[portHeader]) });
    if (!args.success) throw new BerthError("port_refused", "A port is a number from 1 to 65535.");
    useToken(admission, call, claims);
    if (open.size >= most) {
      throw new BerthError("sandbox_unavailable", "This sandbox host has too many open connections.", {
        retryable: true,
      });
    }
    const sandbox = await context.provider.connect(await refOf(context, address.id));
    return await sandbox.openPort(args.data.port);
  }

  return {
    async upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      try {
        const port = await portOf(request);
        open.add(socket);
        socket.once("close", () => open.delete(socket));
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nupgrade: ${tunnelProtocol}\r\nconnection: upgrade\r\n\r\n`,
        );
        if (head.length > 0) socket.unshift(head);
        join(socket, port);
      } catch (thrown) {
        refuse(socket, thrown);
      }
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** Each gives what the other writes. Either may end its side alone; when one breaks, both are gone. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      if (!from.readableEnded || to.writableFinished) to.destroy();
    });
  }
}

function refuse(socket: Duplex, thrown: unknown): void {
  const { error } = envelopeOf(thrown);
  const isUnknown = thrown instanceof BerthError && thrown.code === "unauthenticated";
  const status = isUnknown ? 401 : statusOf(error.code);
  const body = JSON.stringify({ error });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
