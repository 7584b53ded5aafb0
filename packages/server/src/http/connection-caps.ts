import type { Server } from "node:net";
import { addressGroup, normalAddress } from "../lib/addresses.ts";
import type { TransportLimits } from "./transport-limits.ts";

/** Connections of one address, or /64 of IPv6. */
interface Group {
  open: number;
  readonly left: () => void;
}

/** Cuts a connection as soon as it is made when its address has as many as it may. */
export function capConnections(
  server: Server,
  { maxConnectionsPerAddress, uncounted }: TransportLimits,
): void {
  const groups = new Map<string, Group>();
  const groupOf = (name: string): Group => {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const made: Group = {
      open: 0,
      left() {
        made.open -= 1;
        if (made.open === 0) groups.delete(name);
      },
    };
    groups.set(name, made);
    return made;
  };
  server.on("connection", (socket) => {
    const address = normalAddress(socket.remoteAddress ?? "");
    // Gone before it was looked at.
    if (address === null) return;
    if (uncounted?.has(address) === true) return;
    const group = groupOf(addressGroup(address));
    if (group.open >= maxConnectionsPerAddress) return void socket.destroy();
    group.open += 1;
    // Comes once; what `once` keeps for each socket would be 250 bytes.
    socket.on("close", group.left);
  });
}
