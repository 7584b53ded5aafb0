import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { rm } from "node:fs/promises";
import { whenInterrupted } from "../support/interruption/interruption.ts";

/** Servers of the host that count who comes. */
export interface Listeners {
  readonly port: number;
  readonly port6: number | null;
  readonly udpPort: number;
  readonly abstractName: string;
  readonly path: string;
  /** Connections and datagrams so far. */
  count(): number;
  close(): Promise<void>;
}

export async function openListeners(folder: string): Promise<Listeners> {
  let count = 0;
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const listen = async (options: { host?: string; port?: number; path?: string }): Promise<number | null> => {
    const server = createServer((socket) => {
      count += 1;
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nREACHED");
    });
    server.listen(options);
    try {
      await once(server, "listening");
    } catch {
      return null;
    }
    servers.push(server);
    const address = server.address();
    return typeof address === "object" ? (address as AddressInfo).port : 0;
  };
  const udp = createSocket("udp4", () => (count += 1));
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const abstractName = `berth-attack-${process.pid}-${Math.floor(performance.now())}`;
  const path = `${folder}/attack.sock`;
  const port = await listen({ host: "127.0.0.1", port: 0 });
  const port6 = await listen({ host: "::1", port: 0 });
  await listen({ path: `\0${abstractName}` });
  await listen({ path });
  const removeSocket = () => rm(path, { force: true });
  const release = whenInterrupted({ stage: "places", stop: removeSocket });
  return {
    port: port ?? 0,
    port6,
    udpPort: udp.address().port,
    abstractName,
    path,
    count: () => count,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      await new Promise<void>((resolve) => udp.close(() => resolve()));
      await removeSocket();
      release();
    },
  };
}
