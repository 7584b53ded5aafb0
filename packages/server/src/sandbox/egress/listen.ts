import { open } from "node:fs/promises";
import type { Server } from "node:http";
import { basename, dirname } from "node:path";

/** An address of a UNIX socket has room for 107 bytes. */
const mostBytes = 107;

/** Listens on a UNIX socket, however long its path is. What comes back is closed after the server. */
export async function listenAt(server: Server, path: string): Promise<{ close(): Promise<void> }> {
  const folder = Buffer.byteLength(path) > mostBytes ? await open(dirname(path)) : null;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  try {
    server.listen(folder === null ? path : `/proc/self/fd/${folder.fd}/${basename(path)}`, resolve);
    await promise;
  } catch (error) {
    await folder?.close();
    throw error;
  } finally {
    server.removeListener("error", reject);
  }
  return {
    async close() {
      await folder?.close();
    },
  };
}
