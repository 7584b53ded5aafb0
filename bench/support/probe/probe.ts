import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import type { BerthOptions } from "../berth-server.ts";
import type { Probed } from "./inside.ts";

export type { Probed } from "./inside.ts";

/** What a server is started with so that its process can be asked, on a socket in the given folder. */
export function probed(folder: string): {
  readonly start: Pick<BerthOptions, "execArgv" | "env">;
  ask(): Promise<Probed>;
} {
  const path = join(folder, "probe.sock");
  return {
    start: {
      execArgv: ["--expose-gc", "--import", join(import.meta.dirname, "inside.ts")],
      env: { BENCH_PROBE: path },
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
