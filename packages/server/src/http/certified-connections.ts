import type { Server, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../lib/clock.ts";

/** How long requests that are under way may go on after the authority was changed, milliseconds. */
const graceMs = 5_000;

/** Connections whose clients have shown a certificate. */
export interface CertifiedConnections {
  /**
   * Makes every one of them shake hands anew, because who is trusted has changed: idle ones and WebSockets end now, the others after
   * their answer, and what is then left, such as event streams, after 5 s. Their clients connect again.
   */
  retire(): void;
}

export function watchCertified(server: Server, clock: Clock): CertifiedConnections {
  const open = new Set<TLSSocket>();
  const latest = new WeakMap<object, ServerResponse>();
  server.on("secureConnection", (socket: TLSSocket) => {
    if (!socket.authorized) return;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.on("request", ({ socket }, response) => void latest.set(socket, response));
  return {
    retire() {
      const retired = [...open];
      for (const socket of retired) {
        const response = latest.get(socket);
        if (response === undefined || response.writableFinished) socket.end();
        else {
          response.shouldKeepAlive = false;
          response.once("finish", () => socket.end());
        }
      }
      // Does not keep the process alive, and destroying what is gone does nothing.
      clock.after(graceMs, () => {
        for (const socket of retired) socket.destroy();
      });
    },
  };
}
