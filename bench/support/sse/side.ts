import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What the bench asks of a server under test. */
export type Question = "memory" | "event";

export interface Memory {
  /** Bytes that the process holds after garbage collection: heap, external and array buffers. */
  readonly held: number;
  readonly resident: number;
}

export interface Told {
  /** When the event was told, milliseconds since 1970 with fractions. */
  readonly at: number;
}

/** Runs a server in this process for the bench that forked it; `next` makes an event and gives what sends it to all clients. */
export function serveBench(server: Server, next: () => Promise<() => void> | (() => void)): void {
  const answers: Readonly<Record<Question, () => Promise<Memory | Told>>> = {
    async memory() {
      for (let last = Number.POSITIVE_INFINITY; ;) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        globalThis.gc?.();
        const { heapUsed, external, rss } = process.memoryUsage();
        const held = heapUsed + external;
        if (Math.abs(held - last) < 20_000) return { held, resident: rss };
        last = held;
      }
    },
    async event() {
      const tell = await next();
      const at = performance.timeOrigin + performance.now();
      tell();
      return { at };
    },
  };
  process.on("message", (question: Question) => {
    void answers[question]().then((answer) => process.send?.(answer));
  });
  process.on("disconnect", () => process.exit(0));
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
    process.send?.((server.address() as AddressInfo).port);
  });
}
