import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import type { BerthOptions } from "../berth-server.ts";

export interface Probed {
  /** What the main thread holds after garbage collection: heap and memory outside of it, bytes. */
  readonly heldBytes: number;
  /** What V8 has taken for the main thread's heap, used or free. */
  readonly committedBytes: number;
  /** The same of the other threads, that of the store, together. */
  readonly threadBytes: number;
  readonly residentBytes: number;
  /** Native contexts, and what keeps the process alive by its kind. */
  readonly contexts: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly openFiles: number;
  /** Timers that are set; 0 when they were not asked for. */
  readonly timers: number;
}

/**
 * What a server is started with so that its process can be asked, on a socket in the given folder. Counting timers costs it CPU and some
 * memory.
 */
export function probed(
  folder: string,
  { timers = false }: { readonly timers?: boolean } = {},
): {
  readonly start: Pick<BerthOptions, "execArgv" | "env">;
  ask(): Promise<Probed>;
} {
  const path = join(folder, "probe.sock");
  return {
    start: {
      execArgv: ["--expose-gc", "--import", join(import.meta.dirname, "inside.mjs")],
      env: { BENCH_PROBE: path, ...(timers && { BENCH_PROBE_TIMERS: "true" }) },
    },
    async ask() {
      const socket = connect(path);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      await once(socket, "close");
      return JSON.parse(Buffer.concat(chunks).toString()) as Probed;
    },
  };
}
