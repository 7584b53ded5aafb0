import { BerthError } from "../../lib/errors.ts";
import type { HostAddress } from "../../lib/host-address.ts";

/** The address of a call. Ids were checked; should one ever change the host all the same, nothing is sent. Throws `sandbox_invalid`. */
export function addressOf(
  { url }: HostAddress,
  { on, name, id }: { on: string; name: string; id: string },
): URL {
  const path = id === "" ? `/v1/${on}/${name}` : `/v1/${on}/${id}/${name}`;
  const address = new URL(path, url);
  if (address.origin === url.origin && address.pathname === path && address.search === "") return address;
  throw new BerthError("sandbox_invalid", "An id cannot be part of an address.");
}
