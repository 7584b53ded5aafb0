import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Passes bytes on to a server, and breaks each connection after so many bytes of its answers. */
export interface CuttingProxy {
  readonly url: string;
  /** Breaks every connection now, and later ones after so many bytes; Infinity for never. */
  cutAfter(bytes: number): void;
  cuts(): number;
  close(): Promise<void>;
}

export async function createCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let limit = Number.POSITIVE_INFINITY;
  let cuts = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    upstream.on("end", () => client.end());
    const most = limit;
    let passed = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on("data", (chunk: Buffer) => {
      const rest = chunk.subarray(0, Math.max(0, most - passed));
      passed += chunk.length;
      if (passed <= most) {
        client.write(rest);
        return;
      }
      cuts++;
      upstream.destroy();
      client.end(rest);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter(bytes) {
      limit = bytes;
      for (const socket of sockets) socket.destroy();
    },
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
