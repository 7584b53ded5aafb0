import type { Duplex } from "node:stream";
import type { Gate } from "./gate.ts";

/** The first byte that a client sends, which stays where it is. Null when it sends none in time, or has ended. */
export async function firstByte(
  client: Duplex,
  { clock, limits }: Pick<Gate, "clock" | "limits">,
): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const settle = (byte: number | null) => {
    timer.cancel();
    client.off("readable", look).off("end", onEnd).off("close", onEnd);
    resolve(byte);
  };
  const look = () => {
    const chunk: unknown = client.read();
    if (!(chunk instanceof Uint8Array)) return;
    // Before it is put back, which would call here again.
    settle(chunk[0] ?? null);
    client.unshift(chunk);
  };
  const onEnd = () => settle(null);
  const timer = clock.after(limits.headersMs, onEnd);
  client.on("readable", look).on("end", onEnd).on("close", onEnd);
  look();
  return await promise;
}
