import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Two ends of one connection of the kernel's. */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const folder = await mkdtemp(join(tmpdir(), "berth-pair-"));
  const server = createServer({ allowHalfOpen: true });
  try {
    server.listen(join(folder, "socket"));
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const near = connect({ path: join(folder, "socket"), allowHalfOpen: true });
    const [far] = await accepted;
    return [near, far];
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
