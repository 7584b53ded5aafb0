import { once } from "node:events";
import { createServer } from "node:net";

/** The kernel gives these to nobody who asks for any port: on Linux those begin at 32,768. */
const first = 30_000;
const count = 2_700;

/** Test processes side by side begin at places of their own. */
let next = process.pid * 37;

/**
 * A port at which nobody listens now and nobody comes to by chance, for a server that is told its port: of one that the kernel chose and
 * that was freed, another process may be the owner before that server has started.
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < count; tried++) {
    const port = first + (next++ % count);
    if (await isFree(port)) return port;
  }
  throw new Error(`somebody listens at every port from ${first} to ${first + count - 1}`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  probe.close();
  await once(probe, "close");
  return true;
}
