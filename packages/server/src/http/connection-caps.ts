import type { Server } from "node:net";
import { addressGroup, normalAddress } from "../lib/addresses.ts";
import type { TransportLimits } from "./transport-limits.ts";

/** Cuts a connection as soon as it is made when its address has as many as it may. */
export function capConnections(
  server: Server,
  { maxConnectionsPerAddress, uncounted }: TransportLimits,
): void {
  const open = new Map<string, number>();
  server.on("connection", (socket) => {
    const address = normalAddress(socket.remoteAddress ?? "");
    // Gone before it was looked at.
    if (address === null) return;
    if (uncounted?.has(address) === true) return;
    const group = addressGroup(address);
    const count = (open.get(group) ?? 0) + 1;
    if (count > maxConnectionsPerAddress) return void socket.destroy();
    open.set(group, count);
    socket.once("close", () => {
      const left = (open.get(group) ?? 1) - 1;
      if (left > 0) open.set(group, left);
      else open.delete(group);
    });
  });
}
