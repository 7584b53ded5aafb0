import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { once } from "node:events";

/** A port of this machine at which no connection comes about, until it is disposed. */
export interface RefusingPort extends AsyncDisposable {
  readonly url: string;
}

/**
 * Takes a port at which nobody can listen: that of the near end of a connection. One that was only freed may be another's by the time
 * that it is tried.
 */
export async function openRefusingPort(): Promise<RefusingPort> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: at } = server.address() as AddressInfo;
  const accepted = once(server, "connection");
  // With an address of its own it is bound first. The kernel may connect one that is not bound to itself, from its own port.
  const near = connect({ port: at, host: "127.0.0.1", localAddress: "127.0.0.1" });
  await once(near, "connect");
  const [far] = (await accepted) as [Socket];
  return {
    url: `http://127.0.0.1:${near.localPort}`,
    async [Symbol.asyncDispose]() {
      const closed = [once(near, "close"), once(far, "close"), once(server, "close")];
      near.destroy();
      far.destroy();
      server.close();
      await Promise.all(closed);
    },
  };
}
