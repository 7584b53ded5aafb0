import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy that cuts connections, so that both ends see a break that neither made. */
export interface CuttingProxy {
  readonly url: string;
  /** Connections that can be cut: those over which the server has said more than that it is there. */
  readonly size: number;
  /** Resets one connection, chosen by a number; false when there is none. */
  reset(choice: number): boolean;
  /** Ends one connection, chosen by a number, within the next bytes that the server sends: anywhere in a message, or in a character. */
  cutWithin(choice: number): boolean;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const pairs: Pair[] = [];
  const sockets = new Set<Socket>();
  const remove = (pair: Pair) => {
    const index = pairs.indexOf(pair);
    if (index >= 0) pairs.splice(index, 1);
  };
  const listener = createServer((client) => {
    const server = connect(Number(port), hostname);
    const pair = { client, server };
    let said = 0;
    server.on("data", () => {
      // Were it cut before, a busy machine would spend its time on connections that never brought anything.
      if (++said === 2) pairs.push(pair);
    });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        remove(pair);
        to.destroySoon();
      });
      from.pipe(to);
    }
  });
  const take = (choice: number): Pair | undefined => {
    const pair = pairs[choice % Math.max(1, pairs.length)];
    if (pair !== undefined) remove(pair);
    return pair;
  };
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get size() {
      return pairs.length;
    },
    reset(choice) {
      const pair = take(choice);
      pair?.client.resetAndDestroy();
      pair?.server.resetAndDestroy();
      return pair !== undefined;
    },
    cutWithin(choice) {
      const pair = take(choice);
      if (pair === undefined) return false;
      const { client, server } = pair;
      server.unpipe(client);
      server.once("data", (bytes: Buffer) => {
        client.end(bytes.subarray(0, choice % bytes.length));
        server.destroy();
      });
      server.resume();
      return true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
